/*
 * gantry image extract, gantry image render: an image as a directory; the first what it holds
 * itself, the second with its dependencies.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/cmd/image_words.h"
#include "stage0/command.h"
#include "stage0/image/image.h"
#include "stage0/image/kept.h"
#include "stage0/oci/stack.h"

struct target {
	bool rootfs_only, overwrite;
};

static const struct opt opts[] = {
	{.name = "rootfs-only",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, rootfs_only),
	 .help = "the directory becomes the root file system itself, without the manifest"},
	{.name = "overwrite",
	 .type = OPT_FLAG,
	 .offset = offsetof(struct target, overwrite),
	 .help = "remove what is at that path first"},
};

/* The new directory is made beside the place where it goes, so that nobody sees half of it. */
struct place {
	int parent;
	const char *name; /* in the parent */
	char *temp;
	int dir; /* parent/temp */
};

/* --- where it goes --- */

static bool is_root(const struct stat *st)
{
	struct stat root;

	return stat("/", &root) == 0 && st->st_ino == root.st_ino && st->st_dev == root.st_dev;
}

/* What is there and may be removed; the store itself and all above it may not. */
static int check_existing(const struct gantry *g, const char *path, const struct stat *st,
			  bool overwrite, struct err *e)
{
	_cleanup_free_ char *real = S_ISLNK(st->st_mode) ? NULL : realpath(path, NULL);

	if (S_ISDIR(st->st_mode) && is_root(st))
		return err_set(e, EINVAL, "%s: this would delete your root filesystem. Refusing.",
			       q(path));
	if (!overwrite)
		return err_set(e, EEXIST, "%s: output directory exists (try --overwrite)", q(path));
	if (real && (path_is_below(g->data_dir, real) || path_is_below(real, g->data_dir)))
		return err_set(e, EINVAL,
			       "%s: this would delete from the data directory. Refusing.", q(path));
	return 0;
}

/* "a/b/" -> "a/b": the last component is what is made. */
static char *without_slashes(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return xstrndup(path, len);
}

static int open_parent(char *path, struct place *p, struct err *e)
{
	char *slash = strrchr(path, '/');
	const char *parent = slash == path ? "/" : slash ? path : ".";
	int r;

	p->name = slash ? slash + 1 : path;
	if (!path_is_name(p->name))
		return err_set(e, EINVAL, "%s: not the name of a directory that can be made",
			       q(path));
	if (slash && slash != path)
		*slash = '\0';
	r = path_mkdirs(parent, 0755, e);
	if (r == 0) {
		p->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = p->parent < 0 ? err_sys(e, "open %s", q(parent)) : 0;
	}
	return r;
}

static int make_place(struct place *p, struct err *e)
{
	p->temp = xasprintf(".%.200s.%d", p->name, (int) getpid());
	if (mkdirat(p->parent, p->temp, 0755) < 0) {
		int r = err_sys(e, "mkdir %s", q(p->temp));

		free(take_ptr(p->temp));
		return r;
	}
	p->dir = openat(p->parent, p->temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return p->dir < 0 ? err_sys(e, "open %s", q(p->temp)) : 0;
}

static int take_place(struct place *p, bool overwrite, struct err *e)
{
	int r = overwrite ? path_remove_tree(p->parent, p->name, e) : 0;

	if (r < 0)
		return err_ctx(e, r, "remove existing output directory");
	if (file_rename_at(p->parent, p->temp, p->parent, p->name, RENAME_NOREPLACE) < 0 &&
	    (errno != EINVAL || renameat(p->parent, p->temp, p->parent, p->name) < 0))
		return err_sys(e, "rename to %s", q(p->name));
	free(take_ptr(p->temp));
	return 0;
}

static void leave_place(struct place *p)
{
	(void) fd_close(p->dir);
	if (p->temp)
		(void) path_remove_tree(p->parent, p->temp, NULL);
	free(p->temp);
	(void) fd_close(p->parent);
}

/* --- what is put there --- */

static int copy_manifest(int store, const char *id, int dir, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = store_manifest(store, id, &text, &len, e);

	return r < 0 ? r : file_write_at(dir, "manifest", text, len, 0644, FILE_FAST, e);
}

static int fill(const struct target *t, int store, const char *id, char *const *trees, int dir,
		struct err *e)
{
	_cleanup_fd_ int root = -EBADF;
	int r;

	if (t->rootfs_only)
		return store_trees_copy(store, trees, dir, NULL, e);
	r = copy_manifest(store, id, dir, e);
	if (r < 0)
		return r;
	if (mkdirat(dir, TREE_ROOTFS, 0755) < 0)
		return err_sys(e, "mkdir " TREE_ROOTFS);
	root = openat(dir, TREE_ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return root < 0 ? err_sys(e, "open " TREE_ROOTFS)
			: store_trees_copy(store, trees, root, NULL, e);
}

/* An OCI image has no dependencies: both words mean all of its layers. */
static int find_trees(const struct gantry *g, int store, const char *id, bool with_dependencies,
		      char ***ret, struct err *e)
{
	int r;

	if (with_dependencies || oci_stack_is(store, id))
		return oci_stack_of(g, store, id, NULL, ret, e);
	r = kept_tree(g, store, id, e);
	if (r == 0)
		strv_add(ret, id);
	return r;
}

static int put(const struct gantry *g, const struct target *t, int store, const char *word,
	       bool with_dependencies, struct place *p, struct err *e)
{
	_cleanup_strv_ char **trees = NULL;
	_cleanup_free_ char *id = NULL;
	_cleanup_fd_ int use = -EBADF;
	int r = image_find(g, store, word, &id, e);

	if (r < 0)
		return r;
	/* Nobody removes the tree while it is copied. */
	use = store_lock_use(store, LOCK_SHARED, true, e);
	if (use < 0)
		return use;
	r = find_trees(g, store, id, with_dependencies, &trees, e);
	if (r == 0)
		r = make_place(p, e);
	if (r == 0)
		r = fill(t, store, id, trees, p->dir, e);
	if (r == 0)
		store_touch(store, id);
	return r;
}

static int run(const struct gantry *g, const struct target *t, char *const *words,
	       bool with_dependencies, struct err *e)
{
	struct place p = {.parent = -EBADF, .dir = -EBADF};
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int store = -EBADF;
	struct stat st;
	bool is_there;
	int r = 0;

	if (strv_len(words) != 2 || !*words[1])
		return err_set(e, EINVAL, "must provide an image and an output directory");
	path = without_slashes(words[1]);
	is_there = lstat(path, &st) == 0;
	if (is_there)
		r = check_existing(g, path, &st, t->overwrite, e);
	if (r < 0)
		return r;
	store = image_store_open(g, words[0], e);
	if (store < 0)
		return store;
	r = open_parent(path, &p, e);
	if (r == 0)
		r = put(g, t, store, words[0], with_dependencies, &p, e);
	if (r == 0)
		r = take_place(&p, is_there, e);
	leave_place(&p);
	return r;
}

static int run_extract(struct gantry *g, void *target, char *const *words, struct err *e)
{
	return run(g, target, words, false, e);
}

static int run_render(struct gantry *g, void *target, char *const *words, struct err *e)
{
	return run(g, target, words, true, e);
}

const struct command cmd_image_extract = {
	.name = "image extract",
	.usage = "[options] IMAGE DIRECTORY",
	.summary = "put an image into a directory, without its dependencies",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run_extract,
};

const struct command cmd_image_render = {
	.name = "image render",
	.usage = "[options] IMAGE DIRECTORY",
	.summary = "put an image into a directory, with its dependencies",
	COMMAND_OPTS(opts),
	.target_size = sizeof(struct target),
	.run = run_render,
};
