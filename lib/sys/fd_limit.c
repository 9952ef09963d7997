#include "sys/fd_limit.h"

struct fd_limit fd_limit_raise(void)
{
	struct fd_limit l = {0};
	struct rlimit more;

	if (getrlimit(RLIMIT_NOFILE, &l.before) < 0 || l.before.rlim_cur >= l.before.rlim_max)
		return l;
	more = l.before;
	more.rlim_cur = more.rlim_max;
	l.raised = setrlimit(RLIMIT_NOFILE, &more) == 0;
	return l;
}

void fd_limit_restore(struct fd_limit *l)
{
	if (l->raised)
		(void) setrlimit(RLIMIT_NOFILE, &l->before);
	l->raised = 0;
}
