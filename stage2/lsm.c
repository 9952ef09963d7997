/*
 * AppArmor's profile and SELinux' context, both taken by the next execve(2).  They are written into
 * /proc, which must be procfs whatever has become of the app's mounts: anything else would take the
 * word and change nothing (CVE-2019-16884, CVE-2023-28642).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/path.h"
#include "stage2/stage2.h"

static int open_attribute(const char *name)
{
	_cleanup_fd_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *path = xasprintf("%d/attr/%s", (int) getpid(), name);
	struct statfs fs;
	int fd;

	if (proc < 0 || fstatfs(proc, &fs) < 0)
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC)
		return -ENXIO;
	fd = path_open_beneath(proc, path, O_WRONLY, 0, PATH_NO_LINKS | PATH_NO_XDEV);
	return fd;
}

static int set_attribute(const char *name, const char *text)
{
	_cleanup_fd_ int fd = open_attribute(name);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, text, len);
	return n < 0 ? -errno : (size_t) n == len ? 0 : -EIO;
}

int step_lsm(struct stage2 *s, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = 0;

	if (s->rec.selinux)
		r = set_attribute("exec", s->rec.selinux);
	if (r < 0)
		return err_sysr(e, r, "SELinux context %s", q(s->rec.selinux));
	if (!s->rec.apparmor)
		return 0;
	text = xasprintf("exec %s", s->rec.apparmor);
	r = set_attribute("apparmor/exec", text);
	/* Before Linux 5.8 security modules share one file. */
	if (r == -ENOENT && access("/proc/self/attr/apparmor", F_OK) < 0)
		r = set_attribute("exec", text);
	return r < 0 ? err_sysr(e, r, "AppArmor profile %s", q(s->rec.apparmor)) : 0;
}
