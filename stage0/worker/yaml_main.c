/*
 * libexec/gantry/yaml: a YAML text on the descriptor `in` -> its documents as a JSON array on `out`.
 */
#include <errno.h>

#include "base/fd.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/worker.h"
#include "stage0/worker/yaml.h"

static int run(int argc _unused_, char **argv _unused_, struct strbuf *result _unused_, struct err *e)
{
	_cleanup_fd_ int in = fds_take("in"), out = fds_take("out");
	_cleanup_strbuf_ struct strbuf json = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = in < 0 || out < 0 ? -EBADF : read_all(in, YAML_INPUT_MAX, &text, &len);

	if (r < 0)
		return err_sysr(e, r, "read");
	r = jail_enter_small(e);
	if (r == 0)
		r = yaml_to_json(text, len, &json, e);
	if (r == 0) {
		r = write_all(out, json.buf, json.len);
		r = r < 0 ? err_sysr(e, r, "hand over") : 0;
	}
	return r;
}

int main(int argc, char **argv)
{
	return worker_main("yaml", argc, argv, run);
}
