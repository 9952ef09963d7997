/*
 * The last step of run: become the monitor, keeping the process id.
 */
#include <errno.h>
#include <unistd.h>

#include "base/str.h"
#include "stage1/run/fd_list.h"
#include "stage1/run/programs.h"
#include "stage1/run/sandbox.h"

int sandbox_monitor(struct sandbox *sb, struct err *e)
{
	const char *dir = programs_dir(e);
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_list_ struct fd_list l = {0};
	_cleanup_strv_ char **argv = NULL;
	int r;

	if (!dir)
		return -EINVAL;
	/* It hands them on to the gc entry point. */
	r = entry_argv(ENTRY_GC, ENTRY_VERSION, "gantry-monitor", sb->args, &argv, NULL, e);
	if (r < 0)
		return r;
	path = xasprintf("%s/monitor", dir);
	fd_list_add(&l, sb->pidfd, "init");
	fd_list_add(&l, sb->status[0], "status");
	fd_list_add(&l, sb->out[0], "out");
	fd_list_add(&l, sb->err[0], "err");
	fd_list_add(&l, sb->pty, "pty");
	fd_list_add(&l, sb->in[1], "in");
	/* Nobody reads or writes it: init sees its end of file when the monitor dies. */
	fd_list_add(&l, sb->alive[1], "alive");
	fd_list_add(&l, sb->netns, "netns");
	fd_list_add(&l, sb->lock, "lock");
	fd_list_add(&l, sb->pod, "pod");
	fd_list_add(&l, sb->ready, "ready");
	fd_list_add(&l, sb->error, "error");
	fd_list_add(&l, sb->log, "log");
	return exec_fds(-1, path, argv, environ, l.v, l.n, e);
}
