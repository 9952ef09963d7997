/*
 * What the parent hears of us on the descriptor `error`: entries of a flat record.  A failing step:
 * code, step, message, status.  The app itself first says `ready=1` when nothing but the filter and
 * execve(2) is left to be done; the end of the stream without a failure then means that the program
 * runs, and without `ready` that we died on the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/record.h"
#include "contract/exit.h"
#include "stage2/stage2.h"

_noreturn_ void stage2_fail(struct stage2 *s, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, 1);
	record_addf(&sb, "code", "%d", e->code ? e->code : EIO);
	record_addf(&sb, "status", "%d", s->status);
	record_add(&sb, "step", s->step);
	/* Last: a reader with little room cuts this. */
	record_add(&sb, "message", err_text(e));
	if (s->error < 0 || write_all(s->error, sb.buf, sb.len) < 0)
		(void) write_all(STDERR_FILENO, err_text(e), strlen(err_text(e)));
	(void) syscall(SYS_exit_group, s->status);
	/*
	 * A filter that answers even exit_group with an error: an illegal instruction needs no
	 * system call.
	 */
	__builtin_trap();
}

/* With the mount namespace, which the parent needs for the handler after the app. */
static int send_namespace(int error, const char *data, size_t len)
{
	_cleanup_fd_ int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *) data, .iov_len = len};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof control.buf,
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (ns < 0)
		return -errno;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &ns, sizeof ns);
	return sendmsg(error, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int step_ready(struct stage2 *s, struct err *e)
{
	static const char text[] = "ready=1";
	int r = 0;

	if (app_record_keeps_namespace(&s->rec))
		r = send_namespace(s->error, text, sizeof text);
	else if (s->error >= 0)
		r = write_all(s->error, text, sizeof text);
	return r < 0 ? err_sysr(e, r, "tell the pod's init") : 0;
}
