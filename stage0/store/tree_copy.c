/*
 * A full copy of a tree, or of several that lie one above the other, where overlayfs cannot be had.  The
 * source is in the store, so nobody changes it while we walk; links in it are copied, never followed.
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
#include "stage0/store/id_shift.h"
#include "stage0/store/inode_map.h"
#include "stage0/store/internal.h"
#include "stage0/store/tree_copy.h"
#include "sys/fd_limit.h"
#include "sys/stack.h"

#define XATTR_LIST_LIMIT 65536
#define COPY_DEPTH_MAX 256 /* the unpacker admits fewer */

struct copy {
	int root; /* of the copy */
	struct inode_map links;
	const struct id_shift *shift; /* of owners, or NULL */
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

static int copy_xattrs(int from, int to, const struct id_shift *shift)
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
	value = xmalloc(XATTR_LIST_LIMIT + ID_SHIFT_GROWTH);
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		ssize_t got = fgetxattr(from, p, value, XATTR_LIST_LIMIT);
		size_t len = got < 0 ? 0 : (size_t) got;
		int r;

		/* Labels of the host's own security module are its business, for both files. */
		if (str_starts(p, "security.") && strcmp(p, "security.capability"))
			continue;
		/* What they say of the layers below has been done. */
		if (str_starts(p, "trusted.overlay."))
			continue;
		if (got < 0)
			return -errno;
		r = id_shift_xattr(shift, p, (uint8_t *) value, &len);
		if (r < 0)
			return r;
		if (fsetxattr(to, p, value, len, 0) < 0)
			return -errno;
	}
	return 0;
}

static int shift_owner(const struct id_shift *shift, const struct stat *st, uid_t *uid, gid_t *gid)
{
	int r = id_shift(shift, st->st_uid, uid);

	return r < 0 ? r : id_shift(shift, st->st_gid, gid);
}

/* Owner first: chown(2) clears set-user-ID bits and file capabilities. */
static int copy_attributes(int from, int to, const struct stat *st, const struct id_shift *shift)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	uid_t uid;
	gid_t gid;
	int r = shift_owner(shift, st, &uid, &gid);

	if (r < 0)
		return r;
	if (fchown(to, uid, gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(from, to, shift);
	if (r < 0)
		return r;
	return futimens(to, times) < 0 ? -errno : 0;
}

int tree_copy_attributes(int from, int to, const struct stat *st)
{
	return copy_attributes(from, to, st, NULL);
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st, const struct id_shift *shift)
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
	return r < 0 ? r : copy_attributes(from, to, st, shift);
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

static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *st,
			const struct id_shift *shift)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	uid_t uid;
	gid_t gid;
	int r = shift_owner(shift, st, &uid, &gid);

	if (r < 0)
		return r;
	if (S_ISLNK(st->st_mode))
		r = copy_link(from_dir, to_dir, name);
	else
		r = mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ? -errno
											  : 0;
	if (r < 0)
		return r;
	if (fchownat(to_dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* fchmodat() cannot be told not to follow, but this is no link: we made it. */
	if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_node(int from_dir, int to_dir, const char *name, const struct stat *st, const struct id_shift *shift)
{
	return S_ISREG(st->st_mode) ? copy_file(from_dir, to_dir, name, st, shift)
				    : copy_special(from_dir, to_dir, name, st, shift);
}

int tree_copy_node(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	return copy_node(from_dir, to_dir, name, st, NULL);
}

/* An id that the pod does not have: it would be nobody's there, or somebody else's here. */
static int check_owner(const struct copy *c, const struct stat *st, const char *name, struct err *e)
{
	uid_t uid;
	gid_t gid;

	if (shift_owner(c->shift, st, &uid, &gid) == 0)
		return 0;
	return err_set(e, ERANGE, "/%s%s belongs to %u:%u, and a pod with ids of its own has %u of them",
		       c->path.buf ? c->path.buf : "", name, st->st_uid, st->st_gid, c->shift->map.count);
}

static int copy_failed(const struct copy *c, int r, const char *name, struct err *e)
{
	const char *path = c->path.buf ? c->path.buf : "";

	if (r == -ERANGE && c->shift)
		return err_set(e, ERANGE,
			       "an attribute of /%s%s names an id that a pod with %u ids of its own does not have", path,
			       name, c->shift->map.count);
	return err_sysr(e, r, "copy /%s%s", path, name);
}

static int copy_dir(struct copy *c, const struct stack_dir *from, int to, int depth, struct err *e);

static int copy_subdir(struct copy *c, const struct stack_dir *from, int to_dir, const char *name, int depth,
		       struct err *e)
{
	_cleanup_fd_ int to = -EBADF;
	size_t len = c->path.len;
	int r;

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

static int copy_entry(struct copy *c, const struct stack_dir *from, int to, const char *name, int depth,
		      struct err *e)
{
	_cleanup_stack_node_ struct stack_node node = STACK_NODE_INIT;
	int r = stack_child(from, name, &node);

	/* A whiteout of a name that no upper layer has. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sysr(e, r, "%s%s", c->path.buf ? c->path.buf : "", name);
	if (node.dir.n)
		return copy_subdir(c, &node.dir, to, name, depth, e);
	r = check_owner(c, &node.st, name, e);
	if (r < 0)
		return r;
	if (node.st.st_nlink > 1)
		r = link_earlier(c, &node.st, to, name);
	if (r == 0)
		r = copy_node(node.parent, to, name, &node.st, c->shift);
	return r < 0 ? copy_failed(c, r, name, e) : 0;
}

static int add_names(int dir, char ***names, size_t *n, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "open directory");
	}
	while ((errno = 0, de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			strv_push_n(names, n, xstrdup(de->d_name));
	return errno ? err_sys(e, "read directory") : 0;
}

/* The names of all layers, each as often as it is there. */
static int read_names(const struct stack_dir *from, char ***names, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++) {
		int r = add_names(from->fds[i], names, &n, e);

		if (r < 0)
			return r;
	}
	if (from->n > 1 && *names)
		strv_sort(*names);
	return 0;
}

static int copy_dir(struct copy *c, const struct stack_dir *from, int to, int depth, struct err *e)
{
	_cleanup_strv_ char **names = NULL;
	struct stat st;
	int r;

	if (depth > COPY_DEPTH_MAX)
		return err_set(e, ELOOP, "%s: too deep", q(c->path.buf));
	if (fstat(from->fds[0], &st) < 0)
		return err_sys(e, "look at directory");
	r = check_owner(c, &st, "", e);
	if (r == 0)
		r = read_names(from, &names, e);
	for (char **name = names; r == 0 && name && *name; name++)
		if (from->n == 1 || name == names || strcmp(name[-1], *name))
			r = copy_entry(c, from, to, *name, depth, e);
	if (r < 0)
		return r;
	r = copy_attributes(from->fds[0], to, &st, c->shift);
	return r < 0 ? copy_failed(c, r, "", e) : 0;
}

static int open_trees(int store, char *const *ids, struct stack_dir *ret, struct err *e)
{
	_cleanup_strv_ char **paths = NULL;

	for (; *ids; ids++) {
		const char *wrong = tree_id_check(*ids);

		if (wrong)
			return err_set(e, EINVAL, "%s: %s", q(*ids), wrong);
		strv_push(&paths, store_tree_path(*ids));
	}
	return stack_open(store, paths, ret, e);
}

int store_trees_copy(int store, char *const *ids, int dirfd, const struct id_map *users, struct err *e)
{
	const struct id_shift shift = {users ? *users : (struct id_map) {0}, ID_SHIFT_TO_HOST};
	_cleanup_fd_limit_ struct fd_limit limit = fd_limit_raise();
	_cleanup_stack_dir_ struct stack_dir from = {0};
	_cleanup_fd_ int to = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy c = {.root = dirfd, .shift = shift.map.count ? &shift : NULL};
	int r = to < 0 ? err_sys(e, "open the copy's directory") : open_trees(store, ids, &from, e);

	if (r == 0)
		r = copy_dir(&c, &from, to, 0, e);
	inode_map_done(&c.links);
	strbuf_done(&c.path);
	return r < 0 ? err_ctx(e, r, "copy the tree%s of %s", from.n > 1 ? "s" : "", ids[strv_len(ids) - 1]) : 0;
}

int store_tree_copy(int store, const char *id, int dirfd, struct err *e)
{
	char *ids[] = {(char *) id, NULL};

	return store_trees_copy(store, ids, dirfd, NULL, e);
}
