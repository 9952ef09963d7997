#include "stage0/store/tree_compare.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "stage0/store/inode_map.h"
#include "stage0/store/tree_compare.h"
#include "stage0/store/tree_copy.h"

#define COMPARE_DEPTH_MAX 256
#define BUFFER (128u << 10)
#define XATTRS_MAX 65536

struct walk {
	int kept_root, trash;
	unsigned n_trash;
	struct inode_map
		links; /* inode of a fresh file with several names -> the kept one's first name */
	struct strbuf path; /* as in "etc/" */
	struct tree_compare *result;
	char *a, *b; /* BUFFER each */
};

static void note(struct walk *w, const char *name, const char *what)
{
	_cleanup_free_ char *path = NULL;

	if (w->result->wrong++)
		return;
	path = xasprintf("/%s%s", w->path.buf ? w->path.buf : "", name);
	w->result->first = xasprintf("%s %s", q(path), what);
}

/* --- attributes --- */

static bool same_owner(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The host's security module labels files by where they are made. */
static bool is_ours(const char *name)
{
	return !str_starts(name, "security.") || !strcmp(name, "security.capability");
}

static ssize_t list_xattrs(int fd, char *names, size_t size)
{
	ssize_t n = flistxattr(fd, names, size);

	return n < 0 && errno == EOPNOTSUPP ? 0 : n;
}

/* Each of a's is in b with the same value. */
static bool has_xattrs(int a, int b)
{
	_cleanup_free_ char *names = xmalloc(XATTRS_MAX), *x = xmalloc(XATTRS_MAX),
			    *y = xmalloc(XATTRS_MAX);
	ssize_t n = list_xattrs(a, names, XATTRS_MAX);

	for (const char *p = names; n > 0 && p < names + n; p += strlen(p) + 1) {
		ssize_t len;

		if (!is_ours(p))
			continue;
		len = fgetxattr(a, p, x, XATTRS_MAX);
		if (len < 0 || fgetxattr(b, p, y, XATTRS_MAX) != len || memcmp(x, y, (size_t) len))
			return false;
	}
	return n >= 0;
}

static bool same_xattrs(int a, int b)
{
	char probe;

	/* Nearly all have none. */
	if (list_xattrs(a, &probe, 0) == 0 && list_xattrs(b, &probe, 0) == 0)
		return true;
	return has_xattrs(a, b) && has_xattrs(b, a);
}

/* --- contents --- */

static bool same_content(struct walk *w, int a, int b, off_t size)
{
	for (off_t pos = 0; pos < size;) {
		ssize_t n = pread(a, w->a, BUFFER, pos), m;

		if (n <= 0)
			return false;
		m = pread(b, w->b, (size_t) n, pos);
		if (m != n || memcmp(w->a, w->b, (size_t) n))
			return false;
		pos += n;
	}
	return true;
}

static bool same_file(struct walk *w, int kept_dir, int fresh_dir, const char *name,
		      const struct stat *st)
{
	_cleanup_fd_ int a = openat(kept_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_fd_ int b =
		openat(fresh_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return a >= 0 && b >= 0 && same_xattrs(a, b) && same_content(w, a, b, st->st_size);
}

static bool same_link(int kept_dir, int fresh_dir, const char *name)
{
	char a[4096], b[4096];
	ssize_t n = readlinkat(kept_dir, name, a, sizeof a);

	return n >= 0 && n == readlinkat(fresh_dir, name, b, sizeof b) && !memcmp(a, b, (size_t) n);
}

/* What hides a name of lower layers (overlayfs): nobody sees more of it than that it is there. */
static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static bool same_node(struct walk *w, int kept_dir, int fresh_dir, const char *name,
		      const struct stat *kept, const struct stat *fresh)
{
	if (is_whiteout(kept) && is_whiteout(fresh))
		return true;
	if (kept->st_ino == fresh->st_ino && kept->st_dev == fresh->st_dev)
		return true;
	if (!same_owner(kept, fresh))
		return false;
	if (S_ISREG(kept->st_mode))
		return kept->st_size == fresh->st_size &&
		       same_file(w, kept_dir, fresh_dir, name, fresh);
	if (S_ISLNK(kept->st_mode))
		return same_link(kept_dir, fresh_dir, name);
	return kept->st_rdev == fresh->st_rdev;
}

/* --- mending --- */

static int throw_away(struct walk *w, int dir, const char *name)
{
	char as[16];

	(void) snprintf(as, sizeof as, "%u", w->n_trash++);
	return renameat(dir, name, w->trash, as) < 0 ? -errno : 0;
}

static int replace(struct walk *w, int kept_dir, int fresh_dir, const char *name)
{
	int r;

	if (file_rename_at(fresh_dir, name, kept_dir, name, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	r = throw_away(w, kept_dir, name);
	return r < 0 ? r : renameat(fresh_dir, name, kept_dir, name) < 0 ? -errno : 0;
}

/*
 * Several names of one file stay that: the first was looked at before. Returns 1 when it was
 * handled.
 */
static int check_link(struct walk *w, int kept_dir, const char *name, const struct stat *fresh,
		      const struct stat *kept)
{
	struct inode_name *first = inode_map_get(&w->links, fresh->st_ino);
	struct stat st;
	int r;

	if (!first->path) {
		first->path = xasprintf("%s%s", w->path.buf ? w->path.buf : "", name);
		return 0;
	}
	if (fstatat(w->kept_root, first->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (kept && st.st_ino == kept->st_ino && st.st_dev == kept->st_dev)
		return 1;
	note(w, name, kept ? "is not the link that it should be" : "is missing");
	r = kept ? throw_away(w, kept_dir, name) : 0;
	if (r == 0 && linkat(w->kept_root, first->path, kept_dir, name, 0) < 0)
		r = -errno;
	return r < 0 ? r : 1;
}

static int check_node(struct walk *w, int kept_dir, int fresh_dir, const char *name,
		      const struct stat *fresh, const struct stat *kept)
{
	int r = fresh->st_nlink > 1 ? check_link(w, kept_dir, name, fresh, kept) : 0;

	if (r)
		return r < 0 ? r : 0;
	if (!kept) {
		note(w, name, "is missing");
		return renameat(fresh_dir, name, kept_dir, name) < 0 ? -errno : 0;
	}
	if (same_node(w, kept_dir, fresh_dir, name, kept, fresh))
		return 0;
	note(w, name, "is not what the image has");
	return replace(w, kept_dir, fresh_dir, name);
}

static int check_dir(struct walk *w, int kept, int fresh, int depth, struct err *e);

static int check_subdir(struct walk *w, int kept_dir, int fresh_dir, const char *name, int depth,
			struct err *e)
{
	_cleanup_fd_ int kept =
		openat(kept_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int fresh =
		openat(fresh_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = w->path.len;
	int r;

	if (kept < 0 || fresh < 0)
		return err_sys(e, "open %s", q(name));
	strbuf_addf(&w->path, "%s/", name);
	r = check_dir(w, kept, fresh, depth + 1, e);
	w->path.len = len;
	w->path.buf[len] = '\0';
	return r;
}

static int check_entry(struct walk *w, int kept_dir, int fresh_dir, const char *name, int depth,
		       struct err *e)
{
	struct stat fresh, kept;
	bool is_there = fstatat(kept_dir, name, &kept, AT_SYMLINK_NOFOLLOW) == 0;
	int r;

	if ((!is_there && errno != ENOENT) ||
	    fstatat(fresh_dir, name, &fresh, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "/%s%s", w->path.buf ? w->path.buf : "", name);
	if (is_there && S_ISDIR(fresh.st_mode) && S_ISDIR(kept.st_mode))
		return check_subdir(w, kept_dir, fresh_dir, name, depth, e);
	r = check_node(w, kept_dir, fresh_dir, name, &fresh, is_there ? &kept : NULL);
	return r < 0 ? err_sysr(e, r, "mend /%s%s", w->path.buf ? w->path.buf : "", name) : 0;
}

static int read_names(int dir, char ***ret)
{
	_cleanup_dir_ DIR *d = NULL;
	_cleanup_strv_ char **names = NULL;
	struct dirent *de;
	size_t n = 0;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return -errno;
	}
	while ((errno = 0, de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		names = xgrow(names, n + 1, sizeof *names);
		names[n++] = xstrdup(de->d_name);
		names[n] = NULL;
	}
	if (errno)
		return -errno;
	strv_sort(names);
	*ret = take_ptr(names);
	return 0;
}

/* Both sorted. */
static int throw_extra(struct walk *w, int kept_dir, char *const *kept, char *const *fresh)
{
	for (; kept && *kept; kept++) {
		int c = -1, r;

		while (fresh && *fresh && (c = strcmp(*fresh, *kept)) < 0)
			fresh++;
		if (fresh && *fresh && c == 0)
			continue;
		note(w, *kept, "is not in the image");
		r = throw_away(w, kept_dir, *kept);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What copying attributes does not do: take away those that are too many. */
static void drop_xattrs(int kept, int fresh)
{
	_cleanup_free_ char *names = xmalloc(XATTRS_MAX);
	ssize_t n = list_xattrs(kept, names, XATTRS_MAX);

	for (const char *p = names; n > 0 && p < names + n; p += strlen(p) + 1)
		if (is_ours(p) && fgetxattr(fresh, p, NULL, 0) < 0 && errno == ENODATA)
			(void) fremovexattr(kept, p);
}

static int mend_attributes(struct walk *w, int kept, int fresh, const struct stat *as,
			   size_t wrong_before)
{
	struct stat st;

	if (fstat(kept, &st) < 0)
		return -errno;
	if (same_owner(&st, as) && same_xattrs(kept, fresh))
		return 0;
	/* What was put right in it changed its time. */
	if (w->result->wrong == wrong_before)
		note(w, "", "has other attributes");
	drop_xattrs(kept, fresh);
	return tree_copy_attributes(fresh, kept, as);
}

static int check_dir(struct walk *w, int kept, int fresh, int depth, struct err *e)
{
	_cleanup_strv_ char **kept_names = NULL, **fresh_names = NULL;
	size_t before = w->result->wrong;
	struct stat as;
	int r;

	if (depth > COMPARE_DEPTH_MAX)
		return err_set(e, ELOOP, "%s: too deep", q(w->path.buf));
	if (fstat(fresh, &as) < 0)
		return err_sys(e, "read directory");
	r = read_names(kept, &kept_names);
	if (r == 0)
		r = read_names(fresh, &fresh_names);
	if (r == 0)
		r = throw_extra(w, kept, kept_names, fresh_names);
	if (r < 0)
		return err_sysr(e, r, "directory /%s", w->path.buf ? w->path.buf : "");
	for (size_t i = 0, n = strv_len(fresh_names); i < n; i++) {
		r = check_entry(w, kept, fresh, fresh_names[i], depth, e);
		if (r < 0)
			return r;
	}
	r = mend_attributes(w, kept, fresh, &as, before);
	return r < 0 ? err_sysr(e, r, "attributes of /%s", w->path.buf ? w->path.buf : "") : 0;
}

int tree_compare_and_mend(int kept, int fresh, int trash, struct tree_compare *ret, struct err *e)
{
	struct walk w = {
		.kept_root = kept,
		.trash = trash,
		.result = ret,
		.a = xmalloc(BUFFER),
		.b = xmalloc(BUFFER),
	};
	int r;

	*ret = (struct tree_compare) {0};
	r = check_dir(&w, kept, fresh, 0, e);
	inode_map_done(&w.links);
	strbuf_done(&w.path);
	free(w.a);
	free(w.b);
	if (r < 0)
		tree_compare_done(ret);
	return r;
}

void tree_compare_done(struct tree_compare *c)
{
	free(c->first);
	*c = (struct tree_compare) {0};
}
