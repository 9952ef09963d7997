#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

int file_read_at(int dirfd, const char *path, size_t limit, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", path);
	r = read_all(fd, limit, ret, ret_len);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "%s: larger than %zu bytes", path, limit);
	if (r < 0)
		return err_sysr(e, r, "read %s", path);
	return 0;
}

int file_read_line_at(int dirfd, const char *path, char **ret, struct err *e)
{
	size_t len;
	int r = file_read_at(dirfd, path, 65536, ret, &len, e);

	if (r < 0)
		return r;
	if (len && (*ret)[len - 1] == '\n')
		(*ret)[len - 1] = '\0';
	return 0;
}

static int write_temp(int dirfd, const char *temp, const void *data, size_t len, mode_t mode, bool durable)
{
	_cleanup_fd_ int fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return -errno;
	/* The caller's umask must not decide over what the mode is for. */
	if (fchmod(fd, mode) < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r < 0)
		return r;
	if (durable && fsync(fd) < 0)
		return -errno;
	return 0;
}

static int sync_parent(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = slash ? xstrndup(path, (size_t) (slash - path) + 1) : xstrdup(".");
	_cleanup_fd_ int fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int file_write_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode, enum file_write how,
		  struct err *e)
{
	_cleanup_free_ char *temp = NULL;
	const char *last = path_last(path);
	int r;

	temp = xasprintf("%.*s.%s.%d.tmp", (int) (last - path), path, last, (int) getpid());
	r = write_temp(dirfd, temp, data, len, mode, how == FILE_DURABLE);
	if (r == -EEXIST) {
		/* Left by a process of this id that was killed. */
		(void) unlinkat(dirfd, temp, 0);
		r = write_temp(dirfd, temp, data, len, mode, how == FILE_DURABLE);
	}
	if (r == 0 && renameat(dirfd, temp, dirfd, path) < 0)
		r = -errno;
	if (r == 0 && how == FILE_DURABLE)
		r = sync_parent(dirfd, path);
	if (r < 0) {
		(void) unlinkat(dirfd, temp, 0);
		return err_sysr(e, r, "write %s", path);
	}
	return 0;
}

int file_rename_at(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return (int) syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int file_sync_dir(int dirfd, struct err *e)
{
	_cleanup_fd_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_sys(e, "sync directory");
	return 0;
}

int file_poke_at(int dirfd, const char *path, const char *text)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		return -errno;
	return (size_t) n == strlen(text) ? 0 : -EIO;
}
