/*
 * Settings of the kernel that belong to the pod's namespaces (isolator os/unix/sysctl; stage1/run lets
 * no others through).  By the pod's own procfs, which answers in the namespaces of whoever looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "stage1/init/init.h"

/* "net.ipv4.ip_forward" is sys/net/ipv4/ip_forward. */
static int set(int proc, const char *key, size_t len, const char *value)
{
	_cleanup_free_ char *path = xasprintf("sys/%.*s", (int) len, key);
	_cleanup_fd_ int fd = -EBADF;
	ssize_t n;

	for (char *p = path; *p; p++)
		if (*p == '.')
			*p = '/';
	fd = path_open_beneath(proc, path, O_WRONLY, 0, PATH_NO_LINKS | PATH_NO_XDEV);
	if (fd < 0)
		return fd;
	n = write(fd, value, strlen(value));
	return n < 0 ? -errno : 0;
}

int sysctl_apply(const struct pod *pod, struct err *e)
{
	_cleanup_fd_ int proc = -EBADF;

	if (!pod->rec.sysctls)
		return 0;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_sys(e, "open /proc");
	for (char **s = pod->rec.sysctls; *s; s++) {
		size_t len = strcspn(*s, "=");
		int r = set(proc, *s, len, *s + len + 1);

		if (r < 0)
			return err_sysr(e, r, "isolator os/unix/sysctl: set %.*s to %s", (int) len, *s,
					q(*s + len + 1));
	}
	return 0;
}
