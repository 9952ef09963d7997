#include "stage0/worker/untar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/path.h"
#include "stage0/worker/untar_internal.h"

static int duplicate(int error, const char *what, struct err *e)
{
	if (error == EEXIST)
		return err_set(e, EEXIST, "duplicate entry");
	return err_sysr(e, -error, "%s", what);
}

/* --- the manifest --- */

static int read_manifest(struct tar *t, const struct tar_entry *entry, untar_manifest fn, void *arg,
			 struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const uint8_t *data;
	uint64_t offset;
	size_t len;
	int r;

	if (entry->type != TAR_FILE || entry->is_sparse)
		return err_set(e, EINVAL, "is no regular file");
	if (entry->size > JSON_MANIFEST_MAX)
		return err_set(e, EFBIG, "is larger than %u bytes", JSON_MANIFEST_MAX);
	while ((r = tar_data(t, &data, &len, &offset, e)) > 0)
		strbuf_add(&sb, data, len);
	return r < 0 ? r : fn(arg, sb.len ? sb.buf : "", sb.len, e);
}

/* --- files --- */

int untar_data(struct tar *t, int fd, const struct tar_entry *entry, struct err *e)
{
	const uint8_t *data;
	uint64_t offset;
	size_t len;
	int r;

	while ((r = tar_data(t, &data, &len, &offset, e)) > 0) {
		if (!entry->is_sparse) {
			r = write_all(fd, data, len);
			if (r < 0)
				return err_sysr(e, r, "write");
			continue;
		}
		while (len) {
			ssize_t n = pwrite(fd, data, len, (off_t) offset);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return err_sys(e, "write");
			data += n;
			offset += (uint64_t) n;
			len -= (size_t) n;
		}
	}
	if (r == 0 && entry->is_sparse && ftruncate(fd, (off_t) entry->size) < 0)
		r = err_sys(e, "set size");
	return r;
}

static int make_file(struct untar *u, struct tar *t, char *path, const struct tar_entry *entry,
		     struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	const char *base;
	int parent = untar_parent(u, path, &base, e), r;

	if (parent < 0)
		return parent;
	fd = openat(parent, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return duplicate(errno, "create", e);
	r = untar_data(t, fd, entry, e);
	return r < 0 ? r : untar_attributes(fd, entry, false, e);
}

int untar_named_attributes(int parent, const char *base, const struct tar_entry *entry, struct err *e)
{
	struct timespec times[2] = {entry->mtime, entry->mtime};

	if (fchownat(parent, base, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set owner");
	if (entry->type != TAR_SYMLINK && fchmodat(parent, base, entry->mode, 0) < 0)
		return err_sys(e, "set mode");
	if (utimensat(parent, base, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set time");
	return 0;
}

/* Of what has a name only: none that would have to be kept. */
static int named_attributes(int parent, const char *base, const struct tar_entry *entry,
			    struct err *e)
{
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		int r = policy_xattr(entry, entry->xattrs[i].name, e);

		if (r < 0)
			return r;
	}
	return untar_named_attributes(parent, base, entry, e);
}

static int make_symlink(struct untar *u, char *path, const struct tar_entry *entry, struct err *e)
{
	const char *base;
	int parent = untar_parent(u, path, &base, e);

	if (parent < 0)
		return parent;
	if (symlinkat(entry->link, parent, base) < 0)
		return duplicate(errno, "make symbolic link", e);
	return named_attributes(parent, base, entry, e);
}

static int make_node(struct untar *u, char *path, const struct tar_entry *entry, struct err *e)
{
	mode_t type = entry->type == TAR_CHR ? S_IFCHR : entry->type == TAR_BLK ? S_IFBLK : S_IFIFO;
	const char *base;
	int parent = untar_parent(u, path, &base, e);

	if (parent < 0)
		return parent;
	if (mknodat(parent, base, type | 0600,
		    type == S_IFIFO ? 0 : makedev(entry->major, entry->minor)) < 0)
		return duplicate(errno, "make device or pipe", e);
	return named_attributes(parent, base, entry, e);
}

/*
 * To an entry that is there already, and never to a directory.  Both names are single components in
 * directories that are held open, and linkat(2) does not follow the last one.
 */
static int make_hard_link(struct untar *u, char *path, const struct tar_entry *entry, struct err *e)
{
	char target[PATH_MAX], *slash;
	_cleanup_fd_ int from = -EBADF;
	const char *base;
	int r = policy_hard_link(entry->link, u->limits->depth, target, e), parent;

	if (r < 0)
		return r;
	if (entry->n_xattrs)
		return err_set(e, EINVAL, "hard link with attributes of its own");
	parent = untar_parent(u, path, &base, e);
	if (parent < 0)
		return parent;
	slash = strrchr(target, '/');
	if (slash)
		*slash = '\0';
	from = path_open_beneath(u->root, slash ? target : ".", O_PATH | O_DIRECTORY, 0,
				 PATH_NO_LINKS | PATH_NO_XDEV);
	if (from == -ELOOP)
		return err_set(e, ELOOP, "hard link to %s: a symbolic link is in the way",
			       q(entry->link));
	if (from < 0)
		return err_sysr(e, from, "hard link to %s", q(entry->link));
	if (linkat(from, slash ? slash + 1 : target, parent, base, 0) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(e, EEXIST, "duplicate entry");
	return err_sys(e, "hard link to %s", q(entry->link));
}

static int make_entry(struct untar *u, struct tar *t, char *path, const struct tar_entry *entry,
		      struct err *e)
{
	switch (entry->type) {
	case TAR_FILE:
		return make_file(u, t, path, entry, e);
	case TAR_DIR:
		return untar_dir(u, path, entry, e);
	case TAR_SYMLINK:
		return make_symlink(u, path, entry, e);
	case TAR_HARDLINK:
		return make_hard_link(u, path, entry, e);
	case TAR_CHR:
	case TAR_BLK:
	case TAR_FIFO:
		return make_node(u, path, entry, e);
	}
	return err_set(e, EINVAL, "entry of an unknown type");
}

static int count(struct untar *u, const struct tar_entry *entry, struct err *e)
{
	if (++u->done.entries > u->limits->entries)
		return err_set(e, E2BIG, "the image has more than the limit of %llu entries",
			       (unsigned long long) u->limits->entries);
	if (entry->type == TAR_FILE && entry->size > u->limits->bytes - u->done.bytes)
		return err_set(e, EFBIG, "the image is larger than the limit of %llu bytes",
			       (unsigned long long) u->limits->bytes);
	if (entry->type == TAR_FILE)
		u->done.bytes += entry->size;
	return 0;
}

static int place_entry(struct untar *u, struct tar *t, const struct tar_entry *entry,
		       untar_manifest manifest, void *arg, struct err *e)
{
	char path[PATH_MAX];
	int where = policy_place(entry->path, u->limits->depth, path, e), r;

	switch (where) {
	case PLACE_TOP:
		return entry->type == TAR_DIR ? 0 : err_set(e, EINVAL, "the top is no directory");
	case PLACE_MANIFEST:
		if (u->have_manifest)
			return err_set(e, EEXIST, "duplicate entry");
		u->have_manifest = true;
		return read_manifest(t, entry, manifest, arg, e);
	case PLACE_ROOT:
		if (entry->type != TAR_DIR)
			return err_set(e, EINVAL, "rootfs is no directory");
		/* fall through */
	case PLACE_BELOW:
		u->have_root = true;
		if (u->limits->check_only)
			return entry->type == TAR_HARDLINK
				       ? policy_hard_link(entry->link, u->limits->depth, path, e)
				       : 0;
		r = untar_root(u, e);
		return r < 0 ? r : make_entry(u, t, path, entry, e);
	}
	return where;
}

static int finish(struct untar *u, struct err *e)
{
	if (!u->have_manifest)
		return err_set(e, EINVAL, "the image has no manifest");
	if (!u->have_root)
		return err_set(e, EINVAL, "the image has no rootfs");
	return u->root < 0 ? 0 : untar_dir_times(u, e);
}

static void done(struct untar *u)
{
	(void) fd_close(u->root);
	(void) fd_close(u->parent);
	path_set_done(&u->implied);
	for (size_t i = 0; i < u->n_dirs; i++)
		free(u->dirs[i].path);
	free(u->dirs);
}

int untar(struct tar *t, int top, const struct untar_limits *limits, untar_manifest manifest,
	  void *arg, struct untar_result *ret, struct err *e)
{
	struct untar u = {.top = top, .root = -EBADF, .parent = -EBADF, .limits = limits};
	const struct tar_entry *entry;
	int r;

	while ((r = tar_next(t, &entry, e)) > 0) {
		r = count(&u, entry, e);
		if (r == 0)
			r = place_entry(&u, t, entry, manifest, arg, e);
		if (r < 0) {
			r = err_ctx(e, r, "%s", q(entry->path));
			break;
		}
	}
	if (r == 0)
		r = finish(&u, e);
	if (r == 0)
		*ret = u.done;
	done(&u);
	return r;
}
