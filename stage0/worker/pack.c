#include "stage0/worker/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/worker/pack_file.h"

/* The first name of a file that has several. */
struct seen {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: a free slot */
};

struct pack {
	struct tar_writer *w;
	const struct pack_options *o;
	struct strbuf path; /* "rootfs/a/b" */
	struct seen *seen;
	size_t n_seen, slots;
};

/* --- hard links --- */

static size_t place_of(const struct pack *p, dev_t dev, ino_t ino)
{
	size_t i = ((size_t) ino * 0x9e3779b97f4a7c15u ^ (size_t) dev) & (p->slots - 1);

	while (p->seen[i].path && (p->seen[i].dev != dev || p->seen[i].ino != ino))
		i = (i + 1) & (p->slots - 1);
	return i;
}

/* The name under which the file is in the archive already, else NULL and this one is remembered. */
static const char *seen_before(struct pack *p, const struct stat *st)
{
	size_t i;

	if (2 * p->n_seen >= p->slots) {
		struct seen *old = p->seen;
		size_t n = p->slots;

		p->slots = n ? 2 * n : 64;
		p->seen = xcalloc(p->slots, sizeof *p->seen);
		for (size_t k = 0; k < n; k++)
			if (old[k].path)
				p->seen[place_of(p, old[k].dev, old[k].ino)] = old[k];
		free(old);
	}
	i = place_of(p, st->st_dev, st->st_ino);
	if (p->seen[i].path)
		return p->seen[i].path;
	p->seen[i] = (struct seen) {st->st_dev, st->st_ino, xstrdup(p->path.buf)};
	p->n_seen++;
	return NULL;
}

/* --- entries --- */

static int entry_of(const struct pack *p, const struct stat *st, struct tar_entry *entry, struct err *e)
{
	const struct id_shift *users = &p->o->users;
	uid_t uid;
	gid_t gid;

	if (id_shift(users, st->st_uid, &uid) < 0 || id_shift(users, st->st_gid, &gid) < 0)
		return err_set(e, ERANGE, "belongs to %u:%u, which are not both the pod's", st->st_uid, st->st_gid);
	*entry = (struct tar_entry) {
		.path = p->path.buf,
		.mode = st->st_mode & 07777,
		.uid = p->o->owner_root ? 0 : uid,
		.gid = p->o->owner_root ? 0 : gid,
		/* Whole seconds: a fraction would cost each file a header of its own. */
		.mtime = {.tv_sec = p->o->fixed_time ? p->o->mtime : st->st_mtim.tv_sec},
	};
	if (p->o->exact_times && !p->o->fixed_time)
		entry->mtime.tv_nsec = st->st_mtim.tv_nsec;
	return 0;
}

static int put_link(struct pack *p, int dir, const char *name, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	struct tar_entry entry;
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
	int r;

	if (n < 0)
		return err_sys(e, "read link");
	target[n] = '\0';
	r = entry_of(p, st, &entry, e);
	if (r < 0)
		return r;
	entry.type = TAR_SYMLINK;
	entry.link = target;
	return tar_write_entry(p->w, &entry, e);
}

static int put_node(struct pack *p, const struct stat *st, struct err *e)
{
	struct tar_entry entry;
	int r = entry_of(p, st, &entry, e);

	if (r < 0)
		return r;
	entry.type = S_ISCHR(st->st_mode) ? TAR_CHR : S_ISBLK(st->st_mode) ? TAR_BLK : TAR_FIFO;
	if (entry.type != TAR_FIFO) {
		entry.major = major(st->st_rdev);
		entry.minor = minor(st->st_rdev);
	}
	return tar_write_entry(p->w, &entry, e);
}

static int put_file(struct pack *p, int dir, const char *name, struct err *e)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct tar_entry entry;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open");
	if (!S_ISREG(st.st_mode))
		return err_set(e, EAGAIN, "changed while it was packed");
	r = entry_of(p, &st, &entry, e);
	if (r < 0)
		return r;
	entry.type = TAR_FILE;
	entry.size = (uint64_t) st.st_size;
	r = pack_file_xattrs(fd, &p->o->users, &entry, e);
	if (r == 0)
		r = pack_file(p->w, fd, &st, &entry, e);
	pack_file_done(&entry);
	return r;
}

static int put_dir_header(struct pack *p, int fd, struct err *e)
{
	struct tar_entry entry;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat");
	r = entry_of(p, &st, &entry, e);
	if (r < 0)
		return r;
	entry.type = TAR_DIR;
	r = pack_file_xattrs(fd, &p->o->users, &entry, e);
	if (r == 0)
		r = tar_write_entry(p->w, &entry, e);
	pack_file_done(&entry);
	return r;
}

static int put_dir(struct pack *p, int fd, unsigned depth, struct err *e);

static bool is_left_out(const struct pack *p, const struct stat *st)
{
	if (S_ISSOCK(st->st_mode))
		return p->o->skip_sockets;
	return S_ISREG(st->st_mode) && !st->st_size &&
	       strv_has(p->o->leave_out, p->path.buf + strlen("rootfs"));
}

static int put_hard_link(struct pack *p, const char *first, const struct stat *st, struct err *e)
{
	struct tar_entry entry;
	int r = entry_of(p, st, &entry, e);

	if (r < 0)
		return r;
	entry.type = TAR_HARDLINK;
	entry.link = (char *) first;
	return tar_write_entry(p->w, &entry, e);
}

static int put_any(struct pack *p, int dir, const char *name, unsigned depth, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	const char *first;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat");
	if (is_left_out(p, &st))
		return 0;
	first = !S_ISDIR(st.st_mode) && st.st_nlink > 1 ? seen_before(p, &st) : NULL;
	if (first)
		return put_hard_link(p, first, &st, e);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open");
		return put_dir(p, fd, depth + 1, e);
	case S_IFREG:
		return put_file(p, dir, name, e);
	case S_IFLNK:
		return put_link(p, dir, name, &st, e);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return put_node(p, &st, e);
	}
	return err_set(e, EINVAL, "a socket cannot be in an image");
}

/* Names in the order of their bytes. */
static int list(int fd, char ***ret, struct err *e)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	size_t n = 0;
	int copy = fd_copy(fd);

	if (copy >= 0)
		d = fdopendir(copy);
	if (!d) {
		(void) fd_close(copy);
		return err_sys(e, "read directory");
	}
	rewinddir(d);
	while ((errno = 0, de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		/* Not strv_add(), which measures the vector each time. */
		*ret = xgrow(*ret, n + 1, sizeof **ret);
		(*ret)[n++] = xstrdup(de->d_name);
		(*ret)[n] = NULL;
	}
	if (errno)
		return err_sys(e, "read directory");
	strv_sort(*ret);
	return 0;
}

/*
 * The directory and all below it; p->path is its own. Bounded by the depth that an image may have.
 */
static int put_dir(struct pack *p, int fd, unsigned depth, struct err *e)
{
	_cleanup_strv_ char **names = NULL;
	size_t len = p->path.len;
	int r;

	if (depth > p->o->depth)
		return err_set(e, ELOOP, "path too deep");
	r = put_dir_header(p, fd, e);
	if (r == 0)
		r = list(fd, &names, e);
	for (char **n = names; r == 0 && n && *n; n++) {
		strbuf_addf(&p->path, "/%s", *n);
		r = put_any(p, fd, *n, depth, e);
		/* Whoever is deepest has named the path; nobody above knows more. */
		if (r < 0)
			return r;
		p->path.len = len;
		p->path.buf[len] = '\0';
	}
	return r;
}

int pack_manifest(struct tar_writer *w, const struct pack_options *o, struct err *e)
{
	struct tar_entry entry = {
		.type = TAR_FILE,
		.path = (char[]) {"manifest"},
		.mode = 0644,
		.size = o->manifest_len,
		.mtime = {.tv_sec = o->fixed_time ? o->mtime : o->manifest_mtime},
	};
	int r = tar_write_entry(w, &entry, e);

	return r < 0 ? r : tar_write_data(w, o->manifest, o->manifest_len, e);
}

int pack_tree(struct tar_writer *w, int root, const struct pack_options *o, struct err *e)
{
	struct pack p = {.w = w, .o = o};
	int r = pack_manifest(w, o, e);

	strbuf_adds(&p.path, "rootfs");
	if (r == 0)
		r = put_dir(&p, root, 0, e);
	if (r < 0)
		r = err_ctx(e, r, "%s", q(p.path.buf));
	else
		r = tar_write_end(w, e);
	for (size_t i = 0; i < p.slots; i++)
		free(p.seen[i].path);
	free(p.seen);
	strbuf_done(&p.path);
	return r;
}
