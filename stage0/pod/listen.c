#include "stage0/pod/listen.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"

int listen_sockets(struct err *e)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t n;
	pid_t who;

	if (!count || !pid)
		return 0;
	/* They may be for a program that started us. */
	if (parse_pid(pid, &who) < 0 || who != getpid())
		return 0;
	if (parse_u64(count, LISTEN_MAX, &n) < 0)
		return err_set(e, EINVAL, "LISTEN_FDS: %s is no number of at most %d", q(count),
			       LISTEN_MAX);
	for (int i = 0; i < (int) n; i++)
		if (fd_set_cloexec(LISTEN_FIRST + i, true) < 0)
			return err_sys(e, "LISTEN_FDS: descriptor %d", LISTEN_FIRST + i);
	return (int) n;
}
