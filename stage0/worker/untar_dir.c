/*
 * Directories of the new tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "stage0/worker/untar_internal.h"

/* Owner first: chown(2) clears set-user-ID bits and file capabilities. */
int untar_attributes(int fd, const struct tar_entry *entry, bool has_mode, struct err *e)
{
	struct timespec times[2] = {entry->mtime, entry->mtime};

	if (fchown(fd, entry->uid, entry->gid) < 0)
		return err_sys(e, "set owner");
	if (!has_mode && fchmod(fd, entry->mode) < 0)
		return err_sys(e, "set mode");
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		const struct tar_xattr *x = &entry->xattrs[i];
		int r = policy_xattr(entry, x->name, e);

		if (r < 0)
			return r;
		if (r && fsetxattr(fd, x->name, x->value, x->len, 0) < 0)
			return err_sys(e, "set extended attribute %s", q(x->name));
	}
	return futimens(fd, times) < 0 ? err_sys(e, "set time") : 0;
}

static void set_parent(struct untar *u, const char *path, int fd)
{
	(void) fd_close(u->parent);
	u->parent = fd;
	memcpy(u->parent_path, path, strlen(path) + 1);
}

static void add_dir_time(struct untar *u, const char *path, struct timespec mtime)
{
	u->dirs = xgrow(u->dirs, u->n_dirs, sizeof *u->dirs);
	u->dirs[u->n_dirs++] = (struct dir_time) {xstrdup(path), mtime};
}

static int open_dir(const struct untar *u, const char *path)
{
	return path_open_beneath(u->root, *path ? path : ".", O_PATH | O_DIRECTORY, 0,
				 PATH_NO_LINKS | PATH_NO_XDEV);
}

int untar_explain_dir(int r, const char *path, struct err *e)
{
	if (r == -ELOOP)
		return err_set(e, ELOOP, "a symbolic link is in the way, in %s", q(path));
	if (r == -ENOTDIR)
		return err_set(e, ENOTDIR, "%s is no directory", q(path));
	return err_sysr(e, r, "open directory %s", q(path));
}

/* One directory that no entry has named so far, in one that is there. */
static int make_implied(struct untar *u, char *path, int parent, const char *name)
{
	int fd;

	if (mkdirat(parent, name, 0700) < 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0) {
		int r = -errno;

		(void) fd_close(fd);
		return r;
	}
	(void) path_set_add(&u->implied, path);
	return fd;
}

/* Component by component from the root; returns a descriptor of the last. */
static int make_parents(struct untar *u, char *path, struct err *e)
{
	_cleanup_fd_ int at = fd_copy(u->root);
	char *p = path;

	while (p && at >= 0) {
		char *slash = strchr(p, '/');
		int next;

		if (slash)
			*slash = '\0';
		next = open_dir(u, path);
		if (next == -ENOENT)
			next = make_implied(u, path, at, p);
		if (next < 0)
			next = untar_explain_dir(next, path, e);
		if (slash)
			*slash = '/';
		(void) fd_close(at);
		at = next;
		p = slash ? slash + 1 : NULL;
	}
	return take_fd(at);
}

int untar_parent(struct untar *u, char *path, const char **base, struct err *e)
{
	char *slash = strrchr(path, '/');
	const char *dir = slash ? path : "";
	int fd;

	*base = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	if (u->parent < 0 || strcmp(u->parent_path, dir)) {
		fd = open_dir(u, dir);
		if (fd == -ENOENT)
			fd = make_parents(u, path, e);
		else if (fd < 0)
			fd = untar_explain_dir(fd, dir, e);
		if (fd >= 0)
			set_parent(u, dir, fd);
	} else {
		fd = u->parent;
	}
	if (slash)
		*slash = '/';
	return fd;
}

int untar_root(struct untar *u, struct err *e)
{
	int fd;

	if (u->root >= 0)
		return 0;
	fd = make_implied(u, (char[]) {""}, u->top, "rootfs");
	if (fd < 0)
		return err_sysr(e, fd, "mkdir rootfs");
	(void) fd_close(fd);
	u->root = openat(u->top, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return u->root < 0 ? err_sys(e, "open rootfs") : 0;
}

int untar_dir(struct untar *u, char *path, const struct tar_entry *entry, struct err *e)
{
	const char *base = ".";
	int parent = u->root, fd, r;

	if (*path) {
		parent = untar_parent(u, path, &base, e);
		if (parent < 0)
			return parent;
	}
	if (!*path || mkdirat(parent, base, 0700) < 0) {
		if (*path && errno != EEXIST)
			return err_sys(e, "mkdir");
		if (!path_set_remove(&u->implied, path))
			return err_set(e, EEXIST, "duplicate entry");
	}
	fd = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open directory");
	r = untar_attributes(fd, entry, false, e);
	if (r < 0) {
		(void) fd_close(fd);
		return r;
	}
	add_dir_time(u, path, entry->mtime);
	set_parent(u, path, fd);
	return 0;
}

int untar_dir_times(struct untar *u, struct err *e)
{
	for (size_t i = 0; i < u->n_dirs; i++) {
		const char *path = u->dirs[i].path;
		struct timespec times[2] = {u->dirs[i].mtime, u->dirs[i].mtime};
		_cleanup_fd_ int fd =
			path_open_beneath(u->root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0,
					  PATH_NO_LINKS | PATH_NO_XDEV);

		if (fd < 0)
			return untar_explain_dir(fd, path, e);
		if (futimens(fd, times) < 0)
			return err_sys(e, "set time of %s", q(path));
	}
	return 0;
}
