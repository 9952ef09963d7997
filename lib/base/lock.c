#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/fd.h"
#include "base/str.h"

int lock_fd(int fd, enum lock_kind kind, bool wait)
{
	static const int ops[] = {[LOCK_SHARED] = LOCK_SH, [LOCK_EXCLUSIVE] = LOCK_EX, [LOCK_UNLOCK] = LOCK_UN};
	int op = ops[kind] | (wait ? 0 : LOCK_NB);

	while (flock(fd, op) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int lock_opened(int fd, const char *path, enum lock_kind kind, bool wait, struct err *e)
{
	int r = lock_fd(fd, kind, wait);

	if (r < 0) {
		(void) fd_close(fd);
		return err_sysr(e, r, "lock %s", path);
	}
	return fd;
}

int lock_dir_at(int dirfd, const char *path, enum lock_kind kind, bool wait, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	return lock_opened(fd, path, kind, wait, e);
}

int lock_file_at(int dirfd, const char *path, enum lock_kind kind, bool wait, struct err *e)
{
	int fd = openat(dirfd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* flock(2) asks for no right to write: what only reads works where nothing can be written. */
	if (fd < 0 && errno == EROFS)
		fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	return lock_opened(fd, path, kind, wait, e);
}
