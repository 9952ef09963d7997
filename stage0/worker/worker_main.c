#include "stage0/worker/worker.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"

int worker_main(const char *name, int argc, char **argv,
		int (*run)(int argc, char **argv, struct strbuf *result, struct err *e))
{
	_cleanup_strbuf_ struct strbuf result = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int fd, r;

	fd_sanitize_stdio();
	log_init(name);
	r = fds_init(&e);
	fd = r < 0 ? r : fds_take("result");
	if (fd < 0) {
		log_error("%s", r < 0 ? err_text(&e) : "this program is started by gantry only");
		return 254;
	}
	record_begin(&result, WORKER_RECORD_VERSION);
	r = run(argc, argv, &result, &e);
	if (r < 0) {
		strbuf_done(&result);
		record_begin(&result, WORKER_RECORD_VERSION);
		record_addf(&result, "code", "%d", e.code ? e.code : -r);
		record_add(&result, "message", err_text(&e));
	}
	if (write_all(fd, result.buf, result.len) < 0)
		return 254;
	/* No destructors of libraries: what there was to say has been said. */
	(void) fd_close(fd);
	strbuf_done(&result);
	err_done(&e);
	_exit(r < 0 ? 1 : 0);
}
