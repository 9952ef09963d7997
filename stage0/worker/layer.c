#include "stage0/worker/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "stage0/worker/layer_internal.h"

/* --- entries --- */

static int make_file(struct layer *l, struct tar *t, char *path, const struct tar_entry *entry,
		     struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	/* Nobody else can look in here yet, and umask(2) is 0: mostly the mode is right from the start. */
	mode_t mode = entry->mode & 0777;
	_cleanup_fd_ int fd = -EBADF;
	const char *base;
	int parent = layer_parent(l, path, &base, e), r;

	if (parent < 0)
		return parent;
	fd = openat(parent, base, flags, mode);
	if (fd < 0 && errno == EEXIST) {
		r = layer_make_room(l, parent, base, path, false, e);
		if (r < 0)
			return r;
		fd = openat(parent, base, flags, mode);
	}
	if (fd < 0)
		return err_sys(e, "create");
	r = untar_data(t, fd, entry, e);
	return r < 0 ? r : untar_attributes(fd, entry, entry->mode == mode, e);
}

static int make_named(int parent, const char *base, const struct tar_entry *entry)
{
	mode_t type = entry->type == TAR_CHR ? S_IFCHR : entry->type == TAR_BLK ? S_IFBLK : S_IFIFO;
	int r;

	if (entry->type == TAR_SYMLINK)
		r = symlinkat(entry->link, parent, base);
	else
		r = mknodat(parent, base, type | 0600,
			    type == S_IFIFO ? 0 : makedev(entry->major, entry->minor));
	return r < 0 ? -errno : 0;
}

/* Symbolic links, devices, pipes. */
static int make_other(struct layer *l, char *path, const struct tar_entry *entry, struct err *e)
{
	const char *base;
	int parent, r;

	/* As it is, it would be one: then let it be one like the others. */
	if (entry->type == TAR_CHR && !entry->major && !entry->minor)
		return layer_whiteout(l, path, e);
	parent = layer_parent(l, path, &base, e);
	if (parent < 0)
		return parent;
	r = make_named(parent, base, entry);
	if (r == -EEXIST) {
		r = layer_make_room(l, parent, base, path, false, e);
		if (r < 0)
			return r;
		r = make_named(parent, base, entry);
	}
	if (r < 0)
		return err_sysr(e, r, entry->type == TAR_SYMLINK ? "make symbolic link" : "make device or pipe");
	return untar_named_attributes(parent, base, entry, e);
}

static int open_dir(const struct layer *l, const char *path)
{
	return path_open_beneath(l->root, *path ? path : ".", O_PATH | O_DIRECTORY, 0,
				 PATH_NO_LINKS | PATH_NO_XDEV);
}

static int no_target(int r, const struct tar_entry *entry, struct err *e)
{
	if (r == -ENOENT || r == -ENOTDIR)
		return err_set(e, ENOENT, "hard link to %s, which is not in this layer before it: links to "
			       "files of other layers are not supported", q(entry->link));
	return err_sysr(e, r, "hard link to %s", q(entry->link));
}

/*
 * The target's directory and name.  Both are single components in directories that are held open, and
 * linkat(2) does not follow the last one.
 */
static int find_target(struct layer *l, const struct tar_entry *entry, char *target, const char **base,
		       struct stat *st, struct err *e)
{
	struct layer_name name;
	char dir[PATH_MAX] = "", *slash;
	int r = layer_name(entry->link, l->limits->depth, &name, e), from;

	if (r < 0)
		return err_ctx(e, r, "hard link to %s", q(entry->link));
	if (name.kind != LAYER_PLAIN)
		return err_set(e, EINVAL, "hard link to %s, which is no file", q(entry->link));
	slash = strrchr(name.path, '/');
	if (slash)
		memcpy(dir, name.path, (size_t) (slash - name.path));
	memcpy(target, slash ? slash + 1 : name.path, strlen(slash ? slash + 1 : name.path) + 1);
	*base = target;
	from = open_dir(l, dir);
	if (from == -ELOOP) {
		r = layer_resolve(l->root, l->limits->depth, dir, e);
		if (r < 0)
			return err_ctx(e, r, "hard link to %s", q(entry->link));
		from = open_dir(l, dir);
	}
	if (from < 0)
		return no_target(from, entry, e);
	if (fstatat(from, *base, st, AT_SYMLINK_NOFOLLOW) < 0)
		r = no_target(-errno, entry, e);
	else if (S_ISDIR(st->st_mode))
		r = err_set(e, EPERM, "hard link to %s, which is a directory", q(entry->link));
	else if (S_ISSOCK(st->st_mode) || (S_ISCHR(st->st_mode) && st->st_rdev == 0))
		r = no_target(-ENOENT, entry, e);
	if (r < 0)
		(void) fd_close(from);
	return r < 0 ? r : from;
}

static int make_hard_link(struct layer *l, char *path, const struct tar_entry *entry, struct err *e)
{
	char target[PATH_MAX];
	const char *base, *target_base = target;
	_cleanup_fd_ int from = -EBADF;
	struct stat st, here;
	int parent, r;

	from = find_target(l, entry, target, &target_base, &st, e);
	if (from < 0)
		return from;
	parent = layer_parent(l, path, &base, e);
	if (parent < 0)
		return parent;
	r = linkat(from, target_base, parent, base, 0) < 0 ? -errno : 0;
	if (r == -EEXIST) {
		/* To itself, or once more. */
		if (fstatat(parent, base, &here, AT_SYMLINK_NOFOLLOW) == 0 && here.st_dev == st.st_dev &&
		    here.st_ino == st.st_ino)
			return 0;
		r = layer_make_room(l, parent, base, path, false, e);
		if (r < 0)
			return r;
		r = linkat(from, target_base, parent, base, 0) < 0 ? -errno : 0;
	}
	return r < 0 ? err_sysr(e, r, "hard link to %s", q(entry->link)) : 0;
}

static int make_entry(struct layer *l, struct tar *t, struct layer_name *name, const struct tar_entry *entry,
		      struct err *e)
{
	switch (name->kind) {
	case LAYER_IGNORED:
		return 0;
	case LAYER_OPAQUE:
		return layer_opaque(l, name->path, e);
	case LAYER_WHITEOUT:
		return layer_whiteout(l, name->path, e);
	case LAYER_ROOT:
		/* CVE-2021-29136: anything else would take the place of the root. */
		if (entry->type != TAR_DIR)
			return err_set(e, EINVAL, "the root is no directory");
		break;
	case LAYER_PLAIN:
		break;
	}
	switch (entry->type) {
	case TAR_FILE:
		return make_file(l, t, name->path, entry, e);
	case TAR_DIR:
		return layer_dir(l, name->path, entry, e);
	case TAR_HARDLINK:
		return make_hard_link(l, name->path, entry, e);
	case TAR_SYMLINK:
	case TAR_CHR:
	case TAR_BLK:
	case TAR_FIFO:
		return make_other(l, name->path, entry, e);
	}
	return err_set(e, EINVAL, "entry of an unknown type");
}

/* --- the whole --- */

static int count(struct layer *l, const struct tar_entry *entry, struct err *e)
{
	if (++l->done.entries > l->limits->entries)
		return err_set(e, E2BIG, "the layer has more than the limit of %llu entries",
			       (unsigned long long) l->limits->entries);
	if (entry->type != TAR_FILE)
		return 0;
	if (entry->size > l->limits->bytes - l->done.bytes)
		return err_set(e, EFBIG, "the layer is larger than the limit of %llu bytes",
			       (unsigned long long) l->limits->bytes);
	l->done.bytes += entry->size;
	return 0;
}

static int make_root(struct layer *l, int top, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;

	if (mkdirat(top, "rootfs", 0700) < 0)
		return err_sys(e, "mkdir rootfs");
	fd = openat(top, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0)
		return err_sys(e, "rootfs");
	layer_notes_get(&l->notes, "")->implied = true;
	l->root = openat(top, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->root < 0)
		return err_sys(e, "open rootfs");
	/* Only overlayfs itself does not let us make one (fs/overlayfs/dir.c). */
	l->hole = mknodat(top, "probe", S_IFCHR, 0) < 0 && errno == EPERM ? S_IFSOCK : S_IFCHR;
	if (l->hole == S_IFCHR && unlinkat(top, "probe", 0) < 0)
		return err_sys(e, "try a whiteout");
	return 0;
}

/* Sorted, each once: one directory may hide many names. */
static void sort_once(char **v)
{
	size_t kept = 0;

	strv_sort(v);
	for (size_t i = 0; v && v[i]; i++) {
		if (kept && str_eq(v[kept - 1], v[i]))
			free(v[i]);
		else
			v[kept++] = v[i];
	}
	if (v)
		v[kept] = NULL;
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t) (slash - path)) : xstrdup(".");
}

static void make_lists(const struct layer *l, struct layer_lists *lists)
{
	size_t opaque = 0, implied = 0, hiding = 0;

	for (size_t i = 0; i < l->notes.slots; i++) {
		const struct layer_note *note = &l->notes.v[i];
		const char *path = note->path && !*note->path ? "." : note->path;

		if (path && note->opaque && l->hole == S_IFCHR)
			strv_push_n(&lists->opaque, &opaque, xstrdup(path));
		if (path && note->implied)
			strv_push_n(&lists->implied, &implied, xstrdup(path));
		if (path && note->hole && l->hole == S_IFCHR)
			strv_push_n(&lists->hiding, &hiding, dir_of(path));
	}
	sort_once(lists->hiding);
	strv_sort(lists->opaque);
	strv_sort(lists->implied);
}

static int unpack_all(struct layer *l, struct tar *t, struct err *e)
{
	const struct tar_entry *entry;
	struct layer_name name;
	int r;

	while ((r = tar_next(t, &entry, e)) > 0) {
		r = count(l, entry, e);
		if (r == 0)
			r = layer_name(entry->path, l->limits->depth, &name, e);
		if (r == 0)
			r = make_entry(l, t, &name, entry, e);
		if (r < 0)
			return err_ctx(e, r, "%s", q(entry->path));
	}
	return r;
}

int layer_untar(struct tar *t, int top, const struct untar_limits *limits, struct layer_lists *lists,
		struct untar_result *ret, struct err *e)
{
	struct layer l = {.root = -EBADF, .parent = -EBADF, .limits = limits};
	mode_t mask = umask(0);
	int r = make_root(&l, top, e);

	tar_set_lenient(t);
	if (r == 0)
		r = unpack_all(&l, t, e);
	if (r == 0)
		r = layer_opaque_marks(&l, e);
	if (r == 0)
		r = layer_dir_times(&l, e);
	if (r == 0) {
		make_lists(&l, lists);
		*ret = l.done;
	}
	(void) fd_close(l.root);
	(void) fd_close(l.parent);
	layer_notes_done(&l.notes);
	(void) umask(mask);
	return r;
}

void layer_lists_done(struct layer_lists *l)
{
	strv_free(l->opaque);
	strv_free(l->implied);
	strv_free(l->hiding);
	*l = (struct layer_lists) {0};
}
