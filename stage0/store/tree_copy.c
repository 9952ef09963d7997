/*
 * A full copy of a tree, where overlayfs cannot be had.  The source is in the store, so nobody
 * changes it while we walk; links in it are copied, never followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "stage0/store/inode_map.h"
#include "stage0/store/internal.h"
#include "stage0/store/tree_copy.h"

#define XATTR_LIST_LIMIT 65536
#define COPY_DEPTH_MAX 256 /* the unpacker admits fewer */

struct copy {
	int root; /* of the copy */
	struct inode_map links;
	struct strbuf
		path; /* of the directory being copied, below the root; empty or ends in '/' */
};

/* Returns 1 when the name was linked to an earlier one. */
static int link_earlier(struct copy *c, const struct stat *st, int to, const char *name)
{
	struct inode_name *f = inode_map_get(&c->links, st->st_ino);

	if (f->path)
		return linkat(c->root, f->path, to, name, 0) < 0 ? -errno : 1;
	f->path = xasprintf("%s%s", c->path.buf ? c->path.buf : "", name);
	return 0;
}

static int copy_range(int from, int to, off_t pos, off_t end)
{
	char buf[65536];

	while (pos < end) {
		off_t in = pos, out = pos;
		ssize_t n = copy_file_range(from, &in, to, &out, (size_t) (end - pos), 0);

		if (n < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
			size_t want =
				end - pos < (off_t) sizeof buf ? (size_t) (end - pos) : sizeof buf;

			n = pread(from, buf, want, pos);
			if (n > 0)
				n = pwrite(to, buf, (size_t) n, pos);
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		pos += n;
	}
	return 0;
}

/* Data where there is data; holes stay holes (lseek(2)). */
static int copy_data(int from, int to, off_t size)
{
	off_t pos = 0;

	if (size == 0 || ioctl(to, FICLONE, from) == 0)
		return 0;
	while (pos < size) {
		off_t data = lseek(from, pos, SEEK_DATA), hole;
		int r;

		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0)
			data = pos;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		r = copy_range(from, to, data, hole);
		if (r < 0)
			return r;
		pos = hole;
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

static int copy_xattrs(int from, int to)
{
	_cleanup_free_ char *names = NULL, *value = NULL;
	ssize_t n = flistxattr(from, NULL, 0);

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	if (n == 0)
		return 0;
	names = xmalloc((size_t) n);
	n = flistxattr(from, names, (size_t) n);
	if (n < 0)
		return -errno;
	value = xmalloc(XATTR_LIST_LIMIT);
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		ssize_t len = fgetxattr(from, p, value, XATTR_LIST_LIMIT);

		/* Labels of the host's own security module are its business, for both files. */
		if (str_starts(p, "security.") && strcmp(p, "security.capability"))
			continue;
		if (len < 0 || fsetxattr(to, p, value, (size_t) len, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Owner first: chown(2) clears set-user-ID bits and file capabilities. */
int tree_copy_attributes(int from, int to, const struct stat *st)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	int r;

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from, to);
	if (r < 0)
		return r;
	return futimens(to, times) < 0 ? -errno : 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	_cleanup_fd_ int from =
		openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_fd_ int to = -EBADF;
	int r;

	if (from < 0)
		return -errno;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = copy_data(from, to, st->st_size);
	return r < 0 ? r : tree_copy_attributes(from, to, st);
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(from_dir, name, target, sizeof target - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	int r;

	if (S_ISLNK(st->st_mode))
		r = copy_link(from_dir, to_dir, name);
	else
		r = mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ? -errno
											  : 0;
	if (r < 0)
		return r;
	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* fchmodat() cannot be told not to follow, but this is no link: we made it. */
	if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int tree_copy_node(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	return S_ISREG(st->st_mode) ? copy_file(from_dir, to_dir, name, st)
				    : copy_special(from_dir, to_dir, name, st);
}

static int copy_dir(struct copy *c, int from, int to, int depth, struct err *e);

static int copy_subdir(struct copy *c, int from_dir, int to_dir, const char *name, int depth,
		       struct err *e)
{
	_cleanup_fd_ int from =
		openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int to = -EBADF;
	size_t len = c->path.len;
	int r;

	if (from < 0)
		return err_sys(e, "open %s", q(name));
	if (mkdirat(to_dir, name, 0700) < 0)
		return err_sys(e, "mkdir %s", q(name));
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return err_sys(e, "open %s", q(name));
	strbuf_addf(&c->path, "%s/", name);
	r = copy_dir(c, from, to, depth + 1, e);
	c->path.len = len;
	c->path.buf[len] = '\0';
	return r;
}

static int copy_entry(struct copy *c, int from, int to, const char *name, int depth, struct err *e)
{
	struct stat st;
	int r = 0;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s%s", c->path.buf ? c->path.buf : "", name);
	if (S_ISDIR(st.st_mode))
		return copy_subdir(c, from, to, name, depth, e);
	if (st.st_nlink > 1)
		r = link_earlier(c, &st, to, name);
	if (r == 0)
		r = tree_copy_node(from, to, name, &st);
	return r < 0 ? err_sysr(e, r, "copy %s%s", c->path.buf ? c->path.buf : "", name) : 0;
}

static int copy_dir(struct copy *c, int from, int to, int depth, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	struct stat st;
	int r, fd;

	if (depth > COPY_DEPTH_MAX)
		return err_set(e, ELOOP, "%s: too deep", q(c->path.buf));
	fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(from, &st) < 0)
		return err_sys(e, "open directory");
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "read directory");
	}
	while ((errno = 0, de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		r = copy_entry(c, from, to, de->d_name, depth, e);
		if (r < 0)
			return r;
	}
	if (errno)
		return err_sys(e, "read directory");
	r = tree_copy_attributes(from, to, &st);
	return r < 0 ? err_sysr(e, r, "attributes of /%s", c->path.buf ? c->path.buf : "") : 0;
}

int store_tree_copy(int store, const char *id, int dirfd, struct err *e)
{
	_cleanup_fd_ int tree = store_tree_open(store, id, e);
	_cleanup_fd_ int from = -EBADF, to = -EBADF;
	struct copy c = {.root = dirfd};
	int r;

	if (tree < 0)
		return tree;
	from = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0)
		return err_sys(e, "tree of image %s", id);
	r = copy_dir(&c, from, to, 0, e);
	inode_map_done(&c.links);
	strbuf_done(&c.path);
	return r < 0 ? err_ctx(e, r, "copy the tree of image %s", id) : 0;
}
