/*
 * What stage2 says on its error descriptor: entries `key=value\0`, taken apart in place.  The end
 * of the stream is what counts; how it came there, the entries tell.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"
#include "contract/exit.h"
#include "stage1/init/init.h"

/* The value of the first entry with the key, or NULL. */
static const char *find(const struct app *a, const char *key)
{
	const char *p = a->report_buf, *end = p + a->report_len;
	size_t n = strlen(key);

	while (p < end) {
		size_t len = strnlen(p, (size_t) (end - p));

		if (len > n && !memcmp(p, key, n) && p[n] == '=' && p + len < end)
			return p + n + 1;
		p += len + 1;
	}
	return NULL;
}

static int number(const struct app *a, const char *key, int fallback)
{
	const char *text = find(a, key);
	uint64_t v;

	return text && parse_u64(text, INT32_MAX, &v) == 0 ? (int) v : fallback;
}

void report_finish(struct app *a)
{
	const char *pid = find(a, "hostpid");

	a->report = fd_close(a->report);
	(void) snprintf(a->host_pid, sizeof a->host_pid, "%s", pid ? pid : "");
	a->report_ready = find(a, "ready") != NULL;
	a->report_failed = find(a, "message") != NULL;
	a->report_status = number(a, "status", EXIT_FAILED);
}

/* With a socket the app's mount namespace may come along. */
static ssize_t receive(struct app *a, char *to, size_t room)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = to, .iov_len = room};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof control.buf,
	};
	struct cmsghdr *c;
	ssize_t n;

	if (!a->keeps_namespace)
		return read(a->report, to, room);
	n = recvmsg(a->report, &msg, MSG_CMSG_CLOEXEC);
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int))) {
		(void) fd_close(a->mntns);
		memcpy(&a->mntns, CMSG_DATA(c), sizeof(int));
	}
	return n;
}

bool report_read(struct app *a)
{
	static char rest[256];

	while (a->report >= 0) {
		size_t room = REPORT_ROOM - a->report_len;
		/* More than fits is cut, but read to its end. */
		ssize_t n = room ? receive(a, a->report_buf + a->report_len, room)
				 : receive(a, rest, sizeof rest);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n <= 0) {
			/* The last entry ends where the stream does. */
			if (a->report_len == REPORT_ROOM)
				a->report_buf[REPORT_ROOM - 1] = '\0';
			report_finish(a);
			return true;
		}
		if (room)
			a->report_len += (size_t) n;
	}
	return true;
}
