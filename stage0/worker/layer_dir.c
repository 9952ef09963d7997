/*
 * Directories of a layer, and what hides those of the layers below.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "stage0/worker/layer_internal.h"

static int open_dir(const struct layer *l, const char *path)
{
	return path_open_beneath(l->root, *path ? path : ".", O_PATH | O_DIRECTORY, 0,
				 PATH_NO_LINKS | PATH_NO_XDEV);
}

static void set_parent(struct layer *l, const char *path, int fd)
{
	(void) fd_close(l->parent);
	l->parent = fd;
	memcpy(l->parent_path, path, strlen(path) + 1);
}

int layer_make_room(struct layer *l, int parent, const char *base, const char *path, bool for_dir, struct err *e)
{
	struct stat st;
	int r;

	if (fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look");
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(parent, base, 0) < 0)
			return err_sys(e, "replace");
		layer_notes_drop(&l->notes, path, false);
		/* What stood here hid the lower layers' directory of this name. */
		if (for_dir)
			layer_notes_get(&l->notes, path)->opaque = true;
		return 0;
	}
	if (for_dir)
		return 1;
	if (unlinkat(parent, base, AT_REMOVEDIR) < 0) {
		/* The notes are gone through each time. */
		if (++l->replaced > LAYER_DIRS_REPLACED_MAX)
			return err_set(e, E2BIG, "the layer replaces more than %d directories of its own",
				       LAYER_DIRS_REPLACED_MAX);
		r = path_remove_tree(parent, base, e);
		if (r < 0)
			return r;
		layer_notes_drop(&l->notes, path, true);
	}
	layer_notes_drop(&l->notes, path, false);
	return 0;
}

/* One directory that no entry has named so far, in one that is there. */
static int make_implied(struct layer *l, const char *path, int parent, const char *name)
{
	_cleanup_fd_ int fd = -EBADF;

	if (mkdirat(parent, name, 0700) < 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0)
		return -errno;
	layer_notes_get(&l->notes, path)->implied = true;
	return take_fd(fd);
}

static bool is_hole(const struct layer *l, const char *path)
{
	const struct layer_note *note = layer_notes_find(&l->notes, path);

	return note && note->hole;
}

/* The next component of a path: there, made, or a whiteout of this layer that becomes one. */
static int step(struct layer *l, const char *path, int at, const char *name, struct err *e)
{
	int fd = open_dir(l, path), r;

	if (fd == -ENOENT)
		fd = make_implied(l, path, at, name);
	if (fd == -ENOTDIR && is_hole(l, path)) {
		r = layer_make_room(l, at, name, path, true, e);
		if (r < 0)
			return r;
		fd = make_implied(l, path, at, name);
		/* Nothing below is seen through it: its attributes are not from there either. */
		if (fd >= 0)
			layer_notes_get(&l->notes, path)->implied = false;
	}
	return fd < 0 ? untar_explain_dir(fd, path, e) : fd;
}

/* Component by component from the root; returns a descriptor of the last. */
static int make_dirs(struct layer *l, char *path, struct err *e)
{
	_cleanup_fd_ int at = fd_copy(l->root);
	char *p = path;

	while (p && at >= 0) {
		char *slash = strchr(p, '/');
		int next;

		if (slash)
			*slash = '\0';
		next = step(l, path, at, p, e);
		if (slash)
			*slash = '/';
		(void) fd_close(at);
		at = next;
		p = slash ? slash + 1 : NULL;
	}
	return take_fd(at);
}

int layer_dir_at(struct layer *l, char *path, struct err *e)
{
	int fd;

	if (l->parent >= 0 && !strcmp(l->parent_path, path))
		return l->parent;
	fd = open_dir(l, path);
	if (fd == -ELOOP) {
		fd = layer_resolve(l->root, l->limits->depth, path, e);
		if (fd < 0)
			return fd;
		fd = open_dir(l, path);
	}
	if (fd == -ENOENT || fd == -ENOTDIR)
		fd = make_dirs(l, path, e);
	else if (fd < 0)
		fd = untar_explain_dir(fd, path, e);
	if (fd >= 0)
		set_parent(l, path, fd);
	return fd;
}

int layer_parent(struct layer *l, char *path, const char **base, struct err *e)
{
	char *slash = strrchr(path, '/'), name[NAME_MAX + 1];
	size_t len;
	int fd;

	*base = path;
	if (!slash)
		return layer_dir_at(l, (char[PATH_MAX]) {""}, e);
	len = strlen(slash + 1);
	memcpy(name, slash + 1, len + 1);
	*slash = '\0';
	fd = layer_dir_at(l, path, e);
	if (fd < 0) {
		*slash = '/';
		return fd;
	}
	/* The directory may have another name now than the one it was asked for by. */
	slash = path + strlen(path);
	if ((size_t) (slash - path) + len + 2 > PATH_MAX)
		return err_set(e, ENAMETOOLONG, "path too long");
	if (slash > path)
		*slash++ = '/';
	memcpy(slash, name, len + 1);
	*base = slash;
	return fd;
}

int layer_dir(struct layer *l, char *path, const struct tar_entry *entry, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	struct layer_note *note;
	const char *base = ".";
	int parent = l->root, r = 0;

	if (*path) {
		parent = layer_parent(l, path, &base, e);
		if (parent < 0)
			return parent;
		if (mkdirat(parent, base, 0700) < 0) {
			if (errno != EEXIST)
				return err_sys(e, "mkdir");
			r = layer_make_room(l, parent, base, path, true, e);
			if (r < 0)
				return r;
			if (r == 0 && mkdirat(parent, base, 0700) < 0)
				return err_sys(e, "mkdir");
		}
	}
	fd = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open directory");
	r = untar_attributes(fd, entry, false, e);
	if (r < 0)
		return r;
	note = layer_notes_get(&l->notes, path);
	note->is_dir = true;
	note->implied = false;
	note->mtime = entry->mtime;
	set_parent(l, path, take_fd(fd));
	return 0;
}

int layer_whiteout(struct layer *l, char *path, struct err *e)
{
	struct layer_note *note;
	struct stat st;
	const char *base;
	int parent = layer_parent(l, path, &base, e);

	if (parent < 0)
		return parent;
	if (mknodat(parent, base, l->hole, 0) == 0) {
		layer_notes_get(&l->notes, path)->hole = true;
		return fchownat(parent, base, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 ? err_sys(e, "set owner") : 0;
	}
	if (errno != EEXIST)
		return err_sys(e, "make whiteout");
	if (fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look");
	/* It is about the layers below: what this one has of the name stays, and hides it anyway. */
	if (!S_ISDIR(st.st_mode))
		return 0;
	note = layer_notes_get(&l->notes, path);
	note->opaque = true;
	note->implied = false;
	return 0;
}

int layer_opaque(struct layer *l, char *path, struct err *e)
{
	int fd = layer_dir_at(l, path, e);

	if (fd < 0)
		return fd;
	layer_notes_get(&l->notes, path)->opaque = true;
	return 0;
}

int layer_opaque_marks(struct layer *l, struct err *e)
{
	for (size_t i = 0; l->hole == S_IFSOCK && i < l->notes.slots; i++) {
		const struct layer_note *note = &l->notes.v[i];
		_cleanup_fd_ int fd = -EBADF;

		if (!note->path || !note->opaque)
			continue;
		fd = open_dir(l, note->path);
		if (fd < 0)
			return untar_explain_dir(fd, note->path, e);
		if (mknodat(fd, LAYER_OPAQUE_MARK, S_IFSOCK, 0) < 0 && errno != EEXIST)
			return err_sys(e, "mark %s as opaque", q(note->path));
	}
	return 0;
}

int layer_dir_times(struct layer *l, struct err *e)
{
	for (size_t i = 0; i < l->notes.slots; i++) {
		const struct layer_note *note = &l->notes.v[i];
		struct timespec times[2] = {note->mtime, note->mtime};
		_cleanup_fd_ int fd = -EBADF;

		if (!note->path || !note->is_dir)
			continue;
		fd = path_open_beneath(l->root, *note->path ? note->path : ".", O_RDONLY | O_DIRECTORY, 0,
				       PATH_NO_LINKS | PATH_NO_XDEV);
		if (fd < 0)
			return untar_explain_dir(fd, note->path, e);
		if (futimens(fd, times) < 0)
			return err_sys(e, "set time of %s", q(note->path));
	}
	return 0;
}
