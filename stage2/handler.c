/* The pre-start handler: runs to its end, successfully, before the app. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/record.h"
#include "stage2/stage2.h"

/* What the handler reported of itself, if anything, as our own error. */
static int read_failure(int fd, struct err *e)
{
	_cleanup_record_ struct record in = RECORD_INIT;
	const char *step, *message;
	char *data = NULL;
	size_t len;

	if (read_all(fd, 65536, &data, &len) < 0 || !len) {
		free(data);
		return 0;
	}
	if (record_parse(&in, data, len, 1, e) < 0)
		return -EINVAL;
	step = record_get(&in, "step");
	message = record_get(&in, "message");
	return err_set(e, ECHILD, "%s: %s", step ? step : "?", message ? message : "?");
}

int step_pre_start(struct stage2 *s, struct err *e)
{
	_cleanup_free_ char *what = NULL;
	int fds[2], st, r;
	pid_t pid;

	if (!s->rec.pre_start)
		return 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid = fork();
	if (pid == 0) {
		/*
		 * Who am I: the handler.  Return into the table and take the steps that the app
		 * will take.
		 */
		(void) fd_close(fds[0]);
		s->error = fds[1];
		s->argv = s->rec.pre_start;
		s->phase = PHASE_HANDLER;
		return 0;
	}
	(void) fd_close(fds[1]);
	r = pid < 0 ? err_sys(e, "fork") : read_failure(fds[0], e);
	(void) fd_close(fds[0]);
	if (pid < 0)
		return r;
	st = proc_wait(pid);
	if (r < 0 || st == 0)
		return r;
	what = proc_describe(st);
	return err_set(e, ECHILD, "%s %s", q(s->rec.pre_start[0]), what);
}
