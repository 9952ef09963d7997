/*
 * The programs that run inside the pod.  They are executed from a read-only mount that is attached
 * nowhere: whoever gets hold of /proc/PID/exe inside cannot write to the host's file through it
 * (CVE-2019-5736).  Where such a mount cannot be had, from a sealed copy in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "stage1/run/sandbox.h"
#include "sys/mountapi.h"

#define PROGRAM_MAX (64u << 20)

char *programs_dir(struct err *e)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	char *slash;

	if (n < 0) {
		(void) err_sys(e, "read /proc/self/exe");
		return NULL;
	}
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash) {
		(void) err_set(e, EINVAL, "/proc/self/exe is %s", q(path));
		return NULL;
	}
	*slash = '\0';
	return xstrdup(path);
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

static int program(int mount, int dir, const char *name, struct err *e)
{
	_cleanup_free_ char *data = NULL;
	size_t len;
	int fd, r;

	if (mount >= 0) {
		fd = openat(mount, name, O_PATH | O_CLOEXEC);
		return fd < 0 ? err_sys(e, "open stage1's %s", name) : fd;
	}
	r = file_read_at(dir, name, PROGRAM_MAX, &data, &len, e);
	return r < 0 ? r : fd_sealed(name, data, len, e);
}

int sandbox_programs(struct sandbox *sb, struct err *e)
{
	_cleanup_free_ char *path = programs_dir(e);
	_cleanup_fd_ int mount = -EBADF;

	if (!path)
		return -EINVAL;
	sb->stage1 = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sb->stage1 < 0)
		return err_sys(e, "open %s", path);
	mount = detached(sb->stage1);
	sb->init = program(mount, sb->stage1, "init", e);
	if (sb->init < 0)
		return sb->init;
	sb->stage2 = program(mount, sb->stage1, "stage2", e);
	if (sb->stage2 < 0)
		return sb->stage2;
	sb->hostproc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return sb->hostproc < 0 ? err_sys(e, "open /proc") : 0;
}
