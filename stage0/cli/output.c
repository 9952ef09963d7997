#include "stage0/cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"

#define COPY_CHUNK (16u << 20)

static int open_failed(const char *path, struct err *e)
{
	if (errno == EEXIST)
		return err_set(e, EEXIST,
			       "unable to open output file %s: file exists (try --overwrite)",
			       q(path));
	return err_sys(e, "unable to open output file %s", q(path));
}

static char *temp_name(const char *path)
{
	return xasprintf("%s.%d", path, (int) getpid());
}

static int open_unnamed(const char *path)
{
	const char *name = path_last(path);
	_cleanup_free_ char *dir = xstrndup(path, (size_t) (name - path));

	return open(*dir ? dir : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644);
}

static int open_named(struct output *o)
{
	int fd;

	o->temp = temp_name(o->path);
	fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		free(take_ptr(o->temp));
	return fd;
}

int output_open(const char *path, bool overwrite, struct output *o, struct err *e)
{
	struct stat st;
	bool is_there;

	*o = (struct output) {.path = path, .fd = -EBADF};
	is_there = lstat(o->path, &st) == 0;

	if (is_there && !overwrite) {
		errno = EEXIST;
		return open_failed(o->path, e);
	}
	if (is_there && !S_ISREG(st.st_mode)) {
		o->special = true;
		o->fd = open(o->path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
		return o->fd < 0 ? open_failed(o->path, e) : 0;
	}
	o->fd = open_unnamed(o->path);
	if (o->fd < 0)
		o->fd = open_named(o);
	return o->fd < 0 ? open_failed(o->path, e) : 0;
}

static int read_and_write(int from, int to)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof buf)) > 0) {
		int r = write_all(to, buf, (size_t) n);

		if (r < 0)
			return r;
	}
	return n < 0 ? -errno : 0;
}

static bool is_impossible(int code)
{
	return code == EXDEV || code == EINVAL || code == ENOSYS || code == EOPNOTSUPP || code == EBADF;
}

int output_copy(int from, int to)
{
	ssize_t n;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while ((n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0)) > 0)
		;
	if (n == 0)
		return 0;
	if (!is_impossible(errno))
		return -errno;
	return read_and_write(from, to);
}

static int write_range(int from, off_t offset, uint64_t len, int to)
{
	char buf[65536];

	while (len) {
		ssize_t n = pread(from, buf, len < sizeof buf ? len : sizeof buf, offset);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		r = write_all(to, buf, (size_t) n);
		if (r < 0)
			return r;
		offset += n;
		len -= (uint64_t) n;
	}
	return 0;
}

int output_copy_range(int from, int64_t offset, uint64_t len, int to)
{
	off_t at = offset;

	while (len) {
		ssize_t n = copy_file_range(from, &at, to, NULL, len < COPY_CHUNK ? len : COPY_CHUNK, 0);

		if (n == 0)
			return -EIO;
		if (n < 0 && !is_impossible(errno))
			return -errno;
		if (n < 0)
			return write_range(from, at, len, to);
		len -= (uint64_t) n;
	}
	return 0;
}

static int give_name(const struct output *o, const char *name)
{
	char fd_path[32];

	(void) snprintf(fd_path, sizeof fd_path, "/proc/self/fd/%d", o->fd);
	return linkat(AT_FDCWD, o->temp ? o->temp : fd_path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static int put_in_place(struct output *o, bool overwrite)
{
	if (!overwrite)
		return give_name(o, o->path);
	/* A second name is needed for what replaces something. */
	if (!o->temp) {
		_cleanup_free_ char *temp = temp_name(o->path);

		if (give_name(o, temp) < 0)
			return -1;
		o->temp = take_ptr(temp);
	}
	return rename(o->temp, o->path);
}

int output_finish(struct output *o, bool overwrite, struct err *e)
{
	if (!o->special && put_in_place(o, overwrite) < 0)
		return open_failed(o->path, e);
	if (close(take_fd(o->fd)) < 0) {
		log_error("close output file %s: %s", q(o->path), strerror(errno));
		return OUTPUT_NOT_CLOSED;
	}
	return 0;
}

void output_discard(struct output *o)
{
	o->fd = fd_close(o->fd);
	if (o->temp)
		(void) unlink(o->temp);
	free(take_ptr(o->temp));
}
