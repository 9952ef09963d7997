/* The compiled filter: an array of struct sock_filter, as the kernel takes it (seccomp(2)). */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage2/stage2.h"

int step_seccomp(struct stage2 *s, struct err *e)
{
	static struct sock_filter filter[MAX_FILTER];
	struct sock_fprog prog = {.filter = filter};
	ssize_t n;

	if (!s->rec.seccomp)
		return 0;
	if (s->seccomp < 0)
		return err_set(e, EBADF, "no descriptor %s", "seccomp");
	/* From the start: the app and the handler after it share the offset. */
	n = pread(s->seccomp, filter, sizeof filter, 0);
	if (n < 0)
		return err_sys(e, "read filter");
	if (n == 0 || n % (ssize_t) sizeof *filter)
		return err_set(e, EINVAL,
			       "filter has %zd bytes, which is not a number of instructions", n);
	prog.len = (unsigned short) ((size_t) n / sizeof *filter);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return err_sys(e, "load filter of %u instructions", prog.len);
	return 0;
}
