/*
 * Opening the source of a volume.
 */
#include "stage1/run/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define LINKS_MAX 40

/* The usual case in one call: nothing in the path is a link. */
static int open_plain(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

	return fd < 0 ? -errno : (int) fd;
}

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/*
 * A link may be followed when nobody but its owner root or ourselves can have made it; those of procfs
 * are not links at all (proc(5), /proc/PID/root).
 */
static int link_text(int fd, const struct stat *st, char *target, size_t size)
{
	ssize_t n;

	if (is_procfs(fd))
		return -EXDEV;
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return -EPERM;
	n = readlinkat(fd, "", target, size - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return 0;
}

/*
 * Component by component: `dir` is where we are, `rest` what is left. ".." goes up on descriptors,
 * which is what the path means to the operator, too: nothing above / exists.
 */
static int open_walk(const char *path)
{
	_cleanup_free_ char *rest = xstrdup(path);
	_cleanup_fd_ int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int links = 0;

	while (dir >= 0) {
		char name[NAME_MAX + 1], target[PATH_MAX];
		const char *p = rest + strspn(rest, "/");
		size_t n = strcspn(p, "/");
		_cleanup_free_ char *next = NULL;
		_cleanup_fd_ int fd = -EBADF;
		struct stat st;

		if (!n)
			return take_fd(dir);
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, p, n);
		name[n] = '\0';
		fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			return -errno;
		if (S_ISLNK(st.st_mode)) {
			int r = ++links > LINKS_MAX ? -ELOOP : link_text(fd, &st, target, sizeof target);

			if (r < 0)
				return r;
			next = xasprintf("%s/%s", target, p + n);
			if (*target == '/') {
				(void) fd_close(dir);
				dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
			}
		} else {
			next = xstrdup(p + n);
			(void) fd_close(dir);
			dir = take_fd(fd);
		}
		free(rest);
		rest = take_ptr(next);
	}
	return -errno;
}

static int open_any(const char *path, bool own, struct stat *ret_st, struct err *e)
{
	_cleanup_free_ char *shown = str_escape(path, strlen(path));
	_cleanup_fd_ int fd = -EBADF;

	if (*path != '/')
		return err_set(e, EINVAL, "the source %s is not absolute", q(path));
	fd = open_plain(path);
	if (fd == -ELOOP || fd == -ENOSYS || fd == -EPERM)
		fd = open_walk(path);
	if (fd == -EPERM)
		return err_set(e, EPERM, "%s leads over a symbolic link that root does not own", shown);
	if (fd < 0 && fd != -EXDEV)
		return err_sysr(e, fd, "Failed to stat %s", shown);
	if (fd >= 0 && fstat(fd, ret_st) < 0)
		return err_sys(e, "Failed to stat %s", shown);
	/* Processes of the host, and ways to anywhere in it. */
	if (fd < 0 || (!own && is_procfs(fd)))
		return err_set(e, EPERM, "%s is in procfs, of which nothing can be given to a pod", shown);
	return take_fd(fd);
}

int source_open(const char *path, struct stat *ret_st, struct err *e)
{
	return open_any(path, false, ret_st, e);
}

int source_open_own(const char *path, struct stat *ret_st, struct err *e)
{
	return open_any(path, true, ret_st, e);
}
