/*
 * The attributes of directories that layers imply (see stack.h).
 *
 * Who told them is found by looking down from the layer whose directory shows: the first below that has an
 * entry for it; a whiteout or another kind of file in the way, or an opaque directory above, ends the look, and
 * then they are the ones that unpacking gave.  That a directory is opaque itself takes its content away, not its
 * attributes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/path_escape.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/image_id.h"
#include "stage0/oci/stack.h"
#include "stage0/oci/stack_internal.h"
#include "stage0/store/layer.h"
#include "stage0/store/tree_copy.h"
#include "sys/fd_limit.h"
#include "sys/stack.h"

#define IMPLIED_MAX (64u << 20)
#define XATTRS_MAX 65536

struct layer_paths {
	char **v; /* sorted */
	size_t n;
};

/* A way from the root, held open: paths come in their order, and share most of it. */
struct way {
	char **names;
	struct stack_dir *dirs; /* dirs[i]: what names[i] is */
	size_t n;
};

struct work {
	struct stack_dir root;
	struct layer_paths *implied; /* of each layer, 0 is the bottom */
	size_t n_layers;
	struct way way;
};

static void way_cut(struct way *w, size_t n)
{
	while (w->n > n) {
		stack_dir_done(&w->dirs[--w->n]);
		free(w->names[w->n]);
	}
}

static void work_done(struct work *w)
{
	way_cut(&w->way, 0);
	free(w->way.names);
	free(w->way.dirs);
	for (size_t i = 0; i < w->n_layers; i++)
		strv_free(w->implied[i].v);
	free(w->implied);
	stack_dir_done(&w->root);
}

/* --- what is known --- */

/* The file is of a worker's words: nothing but names, one below the other, or the root. */
static bool is_way_down(const char *path)
{
	_cleanup_strv_ char **names = strv_split(path, '/');

	for (char **n = names; *n; n++)
		if (!path_is_name(*n))
			return str_eq(path, ".");
	return true;
}

static int read_implied(int store, const char *tree_id, struct layer_paths *ret, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(DATA_CAS_TREE "/%s/" TREE_IMPLIED, tree_id), *text = NULL;
	char *line, *next;
	size_t len;
	int r = file_read_at(store, path, IMPLIED_MAX, &text, &len, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sysr(e, r, "read %s", path);
	for (line = text; *line; line = next) {
		char *name;

		next = strchr(line, '\n');
		if (!next)
			return err_set(e, EBADMSG, "%s: cut short", path);
		*next++ = '\0';
		name = path_unescape(line);
		if (!name || !is_way_down(name)) {
			free(name);
			return err_set(e, EBADMSG, "%s: malformed line", path);
		}
		strv_push_n(&ret->v, &ret->n, name);
	}
	if (ret->v)
		strv_sort(ret->v);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool is_implied(const struct work *w, unsigned layer, const char *path)
{
	const struct layer_paths *l = &w->implied[layer];

	return l->n && bsearch(&path, l->v, l->n, sizeof *l->v, compare);
}

/* --- where things are --- */

/* The directory of this path (without links, "" is the root); NULL: it shows nowhere as one. */
static const struct stack_dir *go(struct work *w, const char *path)
{
	_cleanup_strv_ char **names = *path ? strv_split(path, '/') : NULL;
	struct way *way = &w->way;
	size_t same = 0, n = strv_len(names);

	while (same < way->n && same < n && str_eq(way->names[same], names[same]))
		same++;
	way_cut(way, same);
	for (; same < n; same++) {
		struct stack_node node = STACK_NODE_INIT;

		if (stack_child(same ? &way->dirs[same - 1] : &w->root, names[same], &node) < 0 || !node.dir.n)
			return NULL;
		way->names = xgrow(way->names, way->n, sizeof *way->names);
		way->dirs = xgrow(way->dirs, way->n, sizeof *way->dirs);
		way->names[way->n] = xstrdup(names[same]);
		way->dirs[way->n++] = node.dir;
	}
	return n ? &way->dirs[n - 1] : &w->root;
}

/* A layer's directory `name` in `parent`, NULL: `parent` itself. -ENOENT: none; else the look ends. */
static int dir_of_layer(int parent, const char *name)
{
	int fd = openat(parent, name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Whose attributes the path has: an open directory, owned by the caller. *ret_shown: the layer that shows. */
static int who_tells(struct work *w, const char *path, unsigned *ret_shown)
{
	bool is_root = str_eq(path, ".");
	const char *slash = strrchr(path, '/'), *name = is_root ? NULL : slash ? slash + 1 : path;
	_cleanup_free_ char *above = slash ? xstrndup(path, (size_t) (slash - path)) : xstrdup("");
	const struct stack_dir *parent = go(w, above);
	_cleanup_fd_ int shown = -EBADF;

	for (size_t i = 0; parent && i < parent->n; i++) {
		_cleanup_fd_ int fd = dir_of_layer(parent->fds[i], name);

		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			break;
		if (shown < 0)
			*ret_shown = parent->layer[i];
		if (!is_implied(w, parent->layer[i], path))
			return take_fd(fd);
		if (shown < 0)
			shown = take_fd(fd);
	}
	return shown < 0 ? -ENOENT : take_fd(shown);
}

/* --- what differs --- */

/* All that a has b has as well; what is said to overlayfs does not count. */
static bool xattrs_are_in(int a, int b)
{
	_cleanup_free_ char *names = xmalloc(XATTRS_MAX), *va = xmalloc(XATTRS_MAX), *vb = xmalloc(XATTRS_MAX);
	ssize_t n = flistxattr(a, names, XATTRS_MAX);

	for (const char *p = names; p < names + (n < 0 ? 0 : n); p += strlen(p) + 1) {
		ssize_t la = fgetxattr(a, p, va, XATTRS_MAX), lb = fgetxattr(b, p, vb, XATTRS_MAX);

		if (!str_starts(p, "trusted.overlay.") && (la != lb || (la > 0 && memcmp(va, vb, (size_t) la))))
			return false;
	}
	return true;
}

static bool same_attributes(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_mode == y.st_mode && x.st_uid == y.st_uid &&
	       x.st_gid == y.st_gid && x.st_mtim.tv_sec == y.st_mtim.tv_sec &&
	       x.st_mtim.tv_nsec == y.st_mtim.tv_nsec && xattrs_are_in(a, b) && xattrs_are_in(b, a);
}

/* Whether overlayfs would show something else: asked once, for the layer that shows. */
static bool differs(struct work *w, unsigned layer, const char *path)
{
	unsigned shown = 0;
	_cleanup_fd_ int told = who_tells(w, path, &shown);
	const struct stack_dir *d;

	if (told < 0 || shown != layer)
		return false;
	d = go(w, str_eq(path, ".") ? "" : path);
	return d && !same_attributes(d->fds[0], told);
}

static char **find_all(struct work *w)
{
	char **paths = NULL;
	size_t n = 0;

	for (unsigned i = 1; i < w->n_layers; i++)
		for (size_t j = 0; j < w->implied[i].n; j++)
			if (differs(w, i, w->implied[i].v[j]))
				strv_push_n(&paths, &n, xstrdup(w->implied[i].v[j]));
	return paths;
}

/* --- the tree --- */

static int set_attributes(struct work *w, int dir, const char *path, struct err *e);

static int set_below(struct work *w, int dir, const char *path, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		(void) fd_close(fd);
		return err_sys(e, "open %s", q(path));
	}
	while (r == 0 && (de = readdir(d))) {
		_cleanup_free_ char *of_it = str_eq(path, ".") ? xstrdup(de->d_name)
							       : xasprintf("%s/%s", path, de->d_name);
		_cleanup_fd_ int sub = -EBADF;

		if (str_eq(de->d_name, ".") || str_eq(de->d_name, ".."))
			continue;
		sub = openat(dir, de->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = sub < 0 ? err_sys(e, "open %s", q(of_it)) : set_attributes(w, sub, of_it, e);
	}
	return r;
}

/* Those on the way to what differs cover what is below them as well: all have to be right. */
static int set_attributes(struct work *w, int dir, const char *path, struct err *e)
{
	int r = set_below(w, dir, path, e);
	_cleanup_fd_ int told = -EBADF;
	unsigned shown;
	struct stat st;

	if (r < 0)
		return r;
	told = who_tells(w, path, &shown);
	if (told < 0 || fstat(told, &st) < 0)
		return err_sysr(e, told < 0 ? told : -errno, "look at %s", q(path));
	r = tree_copy_attributes(told, dir, &st);
	return r < 0 ? err_sysr(e, r, "attributes of %s", q(path)) : 0;
}

static int fill(struct work *w, char *const *paths, int top, struct err *e)
{
	_cleanup_fd_ int root = -EBADF;

	if (mkdirat(top, TREE_ROOTFS, 0755) < 0)
		return err_sys(e, "mkdir " TREE_ROOTFS);
	root = openat(top, TREE_ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open " TREE_ROOTFS);
	for (; paths && *paths; paths++) {
		_cleanup_fd_ int fd = path_mkdirs_beneath(root, *paths, 0755, PATH_NO_LINKS);

		if (fd < 0)
			return err_sysr(e, fd, "mkdir %s", q(*paths));
	}
	return set_attributes(w, root, ".", e);
}

static int make_tree(int store, struct work *w, char *const *paths, const char *id, struct err *e)
{
	struct store_tmp tmp = STORE_TMP_INIT;
	_cleanup_fd_ int top = -EBADF;
	int r = store_tmp_new(store, &tmp, e);

	if (r < 0)
		return r;
	if (mkdirat(tmp.dir, "tree", 0700) < 0)
		r = err_sys(e, "mkdir tree");
	else if ((top = openat(tmp.dir, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		r = err_sys(e, "open tree");
	if (r == 0)
		r = fill(w, paths, top, e);
	if (r == 0)
		r = store_publish_tree(store, &tmp, "tree", id, e);
	store_tmp_done(store, &tmp);
	return r;
}

static int open_layers(int store, char *const *ids, struct work *w, struct err *e)
{
	_cleanup_strv_ char **paths = NULL;

	for (; *ids; ids++)
		strv_push(&paths, store_tree_path(*ids));
	return stack_open(store, paths, &w->root, e);
}

/* 1: a layer above the bottom implies something. */
static int read_layers(int store, char *const *ids, struct work *w, struct err *e)
{
	bool some = false;

	w->n_layers = strv_len(ids);
	w->implied = xcalloc(w->n_layers, sizeof *w->implied);
	for (size_t i = w->n_layers; i-- > 0;) {
		int r;

		if (!i && !some)
			break;
		r = read_implied(store, ids[i], &w->implied[i], e);
		if (r < 0)
			return r;
		some |= w->implied[i].n > 0;
	}
	return some;
}

int oci_stack_make_attrs(const struct gantry *g _unused_, int store, const char *image_id, char *const *tree_ids,
			 char **ret, struct err *e)
{
	_cleanup_free_ char *id = xasprintf(TREE_ID_ATTRS "%s", image_id);
	_cleanup_fd_limit_ struct fd_limit limit = fd_limit_raise();
	_cleanup_strv_ char **ids = stack_of_layers(store, tree_ids), **paths = NULL;
	struct work w = {0};
	int r = read_layers(store, ids, &w, e);

	*ret = NULL;
	if (r > 0)
		r = open_layers(store, ids, &w, e) < 0 ? -EIO : 1;
	if (r > 0) {
		paths = find_all(&w);
		r = paths ? make_tree(store, &w, paths, id, e) : 0;
	}
	if (r == 0 && paths)
		*ret = take_ptr(id);
	work_done(&w);
	return r < 0 ? err_ctx(e, r, "attributes of the directories of image %s", image_id) : 0;
}

int oci_stack_write_attrs(int store, char *const *tree_ids, int top, struct err *e)
{
	_cleanup_fd_limit_ struct fd_limit limit = fd_limit_raise();
	_cleanup_strv_ char **ids = stack_of_layers(store, tree_ids), **paths = NULL;
	struct work w = {0};
	int r = read_layers(store, ids, &w, e);

	if (r >= 0)
		r = open_layers(store, ids, &w, e);
	if (r == 0) {
		paths = find_all(&w);
		r = fill(&w, paths, top, e);
	}
	work_done(&w);
	return r;
}
