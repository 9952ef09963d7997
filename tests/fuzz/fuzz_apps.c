/* The words of run and prepare, separated by line feeds. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage0/cli/apps.h"
#include "stage0/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct command cmd = {.name = "run"};
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	_cleanup_strv_ char **words = strv_split(text, '\n');
	_cleanup_err_ struct err e = ERR_INIT;
	struct pod_request req = {0};
	struct gantry g = {0};
	struct opt_cursor c = {.argc = (int) strv_len(words), .argv = words};

	(void) apps_parse(&g, &cmd, &c, NULL, &req, NULL, &e);
	pod_request_done(&req);
	free(g.data_dir);
	free(g.system_config);
	free(g.local_config);
	return 0;
}
