/*
 * Who am I: `gc` of a stage1, executed in the directory of a pod that has ended: by the monitor
 * right away, or by `gantry gc` and `rm` later.
 */
#include "base/fd.h"
#include "base/log.h"
#include "contract/entry.h"
#include "contract/exit.h"
#include "stage1/entry/gc.h"

int main(int argc, char **argv)
{
	_cleanup_entry_args_ struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	int r;

	fd_sanitize_stdio();
	log_init("gantry: gc");
	r = fds_init(&e);
	if (r == 0)
		r = entry_parse(ENTRY_GC, argc, argv, &args, &e);
	log_set_debug(args.debug);
	if (r == 0)
		r = gc_collect(args.uuid, &e);
	if (r < 0)
		log_error("%s", err_text(&e));
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}
