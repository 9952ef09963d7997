#include "stage0/render/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "contract/layout.h"
#include "stage0/image/kept.h"
#include "stage0/render/internal.h"
#include "stage0/store/tree_compare.h"

struct work {
	const struct gantry *g;
	int store;
	struct render_layer *layers;
	size_t n;
	void (*report)(const char *tree_id, const char *why);
	enum verify result;
};

/* What is to be made afresh: one image's own tree, or all layers together. */
struct subject {
	struct work *work;
	const char *tree_id;
	bool rendered;
};

static int open_dir(int dir, const char *path, struct err *e)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

static int make_fresh(void *arg, const struct store_tmp *tmp, struct err *e)
{
	const struct subject *s = arg;
	struct work *w = s->work;
	_cleanup_fd_ int dir = -EBADF;

	if (!s->rendered)
		return kept_unpack(w->g, w->store, s->tree_id, tmp, "fresh", e);
	if (mkdirat(tmp->dir, "fresh", 0700) < 0)
		return err_sys(e, "mkdir fresh");
	dir = open_dir(tmp->dir, "fresh", e);
	return dir < 0 ? dir : render_into(w->g, w->store, w->layers, w->n, dir, e);
}

static int compare_in(const struct verify_tree *t, int kept, const struct store_tmp *tmp, enum verify *result,
		      struct err *e)
{
	_cleanup_fd_ int fresh = -EBADF, trash = -EBADF;
	struct tree_compare found = {0};
	int r = t->make(t->arg, tmp, e);

	if (r == 0 && mkdirat(tmp->dir, "trash", 0700) < 0)
		r = err_sys(e, "mkdir trash");
	if (r < 0)
		return r;
	fresh = open_dir(tmp->dir, "fresh/" TREE_ROOTFS, e);
	trash = fresh < 0 ? fresh : open_dir(tmp->dir, "trash", e);
	if (trash < 0)
		return trash;
	r = tree_compare_and_mend(kept, fresh, trash, &found, e);
	if (r == 0 && found.wrong) {
		t->report(t->tree_id, found.first);
		*result = VERIFY_MENDED;
		if (syncfs(kept) < 0)
			r = err_sys(e, "sync");
	} else if (r == 0 && *result == VERIFY_NOT_RENDERED) {
		*result = VERIFY_GOOD;
	}
	tree_compare_done(&found);
	return r;
}

int verify_tree(int store, const struct verify_tree *t, enum verify *result, struct err *e)
{
	_cleanup_free_ char *path = path_join(DATA_CAS_TREE, t->tree_id),
			    *root = path_join(path, TREE_ROOTFS);
	/* Two who mend the same one would take entries from each other. */
	_cleanup_fd_ int lock = lock_dir_at(store, path, LOCK_EXCLUSIVE, true, e), kept = -EBADF;
	struct store_tmp tmp = STORE_TMP_INIT;
	int r;

	if (lock == -ENOENT) {
		if (e)
			err_done(e);
		return 0;
	}
	if (lock < 0)
		return lock;
	/* Even that may be what is wrong. */
	if (mkdirat(store, root, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", root);
	kept = open_dir(store, root, e);
	r = kept < 0 ? kept : store_tmp_new(store, &tmp, e);
	if (r == 0)
		r = compare_in(t, kept, &tmp, result, e);
	store_tmp_done(store, &tmp);
	return r < 0 ? err_ctx(e, r, "tree %s", t->tree_id) : 0;
}

static int verify_subject(struct work *w, const char *tree_id, bool rendered, struct err *e)
{
	struct subject s = {.work = w, .tree_id = tree_id, .rendered = rendered};
	const struct verify_tree t = {.tree_id = tree_id, .make = make_fresh, .arg = &s, .report = w->report};

	return verify_tree(w->store, &t, &w->result, e);
}

/* The layers first: the rendered tree consists of their files. */
static int verify_layers(struct work *w, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->n; i++) {
		size_t before = 0;

		while (strcmp(w->layers[before].id, w->layers[i].id))
			before++;
		if (before == i)
			r = verify_subject(w, w->layers[i].id, false, e);
	}
	return r;
}

static int verify_rendered(struct work *w, const char *id, struct err *e)
{
	_cleanup_free_ char *recipe = NULL, *tree_id = NULL;
	size_t len;
	int r;

	recipe = recipe_write(w->layers, w->n, &len);
	r = recipe_find_known(w->store, id, recipe, len, &tree_id);
	if (r == 0)
		r = recipe_tree_id(w->g, w->store, recipe, len, &tree_id, e);
	return r < 0 ? r : verify_subject(w, tree_id, true, e);
}

int render_verify(const struct gantry *g, int store, const char *id, enum verify *ret,
		  void (*report)(const char *tree_id, const char *why), struct err *e)
{
	/* Nobody takes a tree away meanwhile. */
	_cleanup_fd_ int use = store_lock_use(store, LOCK_SHARED, true, e);
	struct work w = {.g = g, .store = store, .report = report, .result = VERIFY_NOT_RENDERED};
	int r = use < 0 ? use : render_order(store, id, &w.layers, &w.n, e);

	if (r < 0)
		return r;
	r = verify_layers(&w, e);
	/* One layer without lists is its own tree. */
	if (r == 0 && (w.n > 1 || w.layers[0].some_files))
		r = verify_rendered(&w, id, e);
	render_layers_free(w.layers, w.n);
	*ret = w.result;
	return r;
}
