/* The words of run and prepare, separated by line feeds. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "stage0/cli/apps.h"
#include "stage0/command.h"
#include "stage0/pod/mounts.h"
#include "stage0/pod/ports.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The grammars inside the words: volumes, mounts, ports. */
static void read_words(const struct pod_request *req)
{
	_cleanup_pod_manifest_ struct pod_manifest *pm = xcalloc(1, sizeof *pm);
	_cleanup_err_ struct err e = ERR_INIT;
	struct app app = {0};

	(void) volumes_add(req, pm, &e);
	(void) ports_add(req->ports, pm, &e);
	for (size_t i = 0; i < req->n_apps; i++) {
		struct runtime_app *ra;

		pm->apps = xgrow(pm->apps, pm->n_apps, sizeof *pm->apps);
		ra = &pm->apps[pm->n_apps++];
		*ra = (struct runtime_app) {.name = xstrdup("a"), .app = app_copy(&app)};
		(void) mounts_apply(req, &req->apps[i], pm, ra, &e);
	}
	(void) ports_check(pm, NULL, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct command cmd = {.name = "run"};
	_cleanup_free_ char *text = xstrndup((const char *) data, size);
	_cleanup_strv_ char **words = strv_split(text, '\n');
	_cleanup_err_ struct err e = ERR_INIT;
	struct pod_request req = {0};
	struct gantry g = {0};
	struct opt_cursor c = {.argc = (int) strv_len(words), .argv = words};

	if (apps_parse(&g, &cmd, &c, NULL, &req, NULL, &e) == 0)
		read_words(&req);
	pod_request_done(&req);
	free(g.data_dir);
	free(g.system_config);
	free(g.local_config);
	free(g.user_config);
	return 0;
}
