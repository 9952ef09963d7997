/*
 * The programs that run inside the pod.  They are executed from a read-only mount that is attached
 * nowhere: whoever gets hold of /proc/PID/exe inside cannot write to the host's file through it
 * (CVE-2019-5736).  Where such a mount cannot be had, from a sealed copy in memory.
 */
#include "stage1/run/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/mountapi.h"

#define PROGRAM_MAX (64u << 20)

const char *programs_dir(struct err *e)
{
	static char path[PATH_MAX];
	char *slash;
	ssize_t n;

	if (*path)
		return path;
	n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n < 0) {
		(void) err_sys(e, "read /proc/self/exe");
		return NULL;
	}
	slash = strrchr(path, '/');
	if (!slash) {
		(void) err_set(e, EINVAL, "/proc/self/exe is %s", q(path));
		return NULL;
	}
	*slash = '\0';
	return path;
}

/* The directory as a mount of its own; -errno where the kernel or a filter says no. */
static int detached(int dir)
{
	_cleanup_fd_ int fd = mnt_clone(dir, "", false);
	int r;

	if (fd < 0)
		return fd;
	r = mnt_set_attrs(fd, MNT_ATTR_RDONLY | MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_PRIVATE, false);
	return r < 0 ? r : take_fd(fd);
}

int programs_open(struct programs *ret, struct err *e)
{
	const char *path = programs_dir(e);
	int dir, mount;

	if (!path)
		return -EINVAL;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s", path);
	mount = detached(dir);
	*ret = (struct programs) {dir, mount < 0 ? -EBADF : mount};
	return 0;
}

int programs_get(const struct programs *p, const char *name, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	int fd, r;

	if (p->mount >= 0) {
		fd = openat(p->mount, name, O_PATH | O_CLOEXEC);
		return fd < 0 ? err_sys(e, "open stage1's %s", name) : fd;
	}
	r = file_read_at(p->dir, name, PROGRAM_MAX, &data, &len, e);
	return r < 0 ? r : fd_sealed(name, data, len, e);
}

void programs_close(struct programs *p)
{
	p->dir = fd_close(p->dir);
	p->mount = fd_close(p->mount);
}
