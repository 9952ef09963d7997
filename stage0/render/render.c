#include "stage0/render/render.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "contract/layout.h"
#include "stage0/image/kept.h"
#include "stage0/render/internal.h"

/* The layers' own trees are what is linked from: one that gc took is unpacked again. */
static int have_layers(const struct gantry *g, int store, const struct render_layer *layers,
		       size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = kept_tree(g, store, layers[i].id, e);
	return r;
}

int render_into(const struct gantry *g, int store, const struct render_layer *layers, size_t n,
		int dir, struct err *e)
{
	_cleanup_fd_ int root = -EBADF;
	int r = have_layers(g, store, layers, n, e);

	if (r < 0)
		return r;
	if (mkdirat(dir, TREE_ROOTFS, 0700) < 0)
		return err_sys(e, "mkdir " TREE_ROOTFS);
	root = openat(dir, TREE_ROOTFS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return root < 0 ? err_sys(e, "open " TREE_ROOTFS) : merge_layers(store, layers, n, root, e);
}

static bool has_tree(int store, const char *tree_id)
{
	_cleanup_fd_ int tree = store_tree_open(store, tree_id, NULL);

	return tree >= 0;
}

struct work {
	const struct gantry *g;
	int store;
	const struct render_layer *layers;
	size_t n;
	const char *recipe;
	size_t recipe_len;
	const char *tree_id;
};

static int make_in(const struct work *w, const struct store_tmp *tmp, struct err *e)
{
	_cleanup_fd_ int dir = -EBADF;
	int r;

	if (mkdirat(tmp->dir, "tree", 0700) < 0)
		return err_sys(e, "mkdir tree");
	dir = openat(tmp->dir, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open tree");
	r = render_into(w->g, w->store, w->layers, w->n, dir, e);
	if (r == 0)
		r = file_write_at(dir, TREE_RECIPE, w->recipe, w->recipe_len, 0640, FILE_FAST, e);
	return r < 0 ? r : store_publish_tree(w->store, tmp, "tree", w->tree_id, e);
}

/* Two who make the same one at a time both do the work; one of the results gets the name. */
static int make(const struct work *w, struct err *e)
{
	/* Nobody removes a layer in the meantime. */
	_cleanup_fd_ int use = store_lock_use(w->store, LOCK_SHARED, true, e);
	struct store_tmp tmp = STORE_TMP_INIT;
	int r = use < 0 ? use : store_tmp_new(w->store, &tmp, e);

	if (r < 0)
		return r;
	r = make_in(w, &tmp, e);
	store_tmp_done(w->store, &tmp);
	return r;
}

static int render(const struct gantry *g, int store, const char *id,
		  const struct render_layer *layers, size_t n, char **ret_tree_id, struct err *e)
{
	_cleanup_free_ char *recipe = NULL, *tree_id = NULL;
	struct work w = {.g = g, .store = store, .layers = layers, .n = n};
	int r;

	/* A layer is used whenever an image above it is: gc of images must not take it. */
	for (size_t i = 0; i < n; i++)
		store_touch(store, layers[i].id);
	recipe = recipe_write(layers, n, &w.recipe_len);
	if (recipe_find_known(store, id, recipe, w.recipe_len, ret_tree_id))
		return 0;
	r = recipe_tree_id(g, store, recipe, w.recipe_len, &tree_id, e);
	w.recipe = recipe;
	w.tree_id = tree_id;
	if (r == 0 && !has_tree(store, tree_id))
		r = make(&w, e);
	if (r < 0)
		return err_ctx(e, r, "render image %s", id);
	recipe_note(store, id, tree_id);
	*ret_tree_id = take_ptr(tree_id);
	return 0;
}

int render_tree_of(const struct gantry *g, int store, const char *id,
		   const struct image_manifest *m, char **ret_tree_id, struct err *e)
{
	struct render_layer *layers;
	size_t n;
	int r;

	if (!render_is_needed(m)) {
		r = kept_tree(g, store, id, e);
		if (r == 0)
			*ret_tree_id = xstrdup(id);
		return r;
	}
	r = render_order(store, id, &layers, &n, e);
	if (r < 0)
		return r;
	r = render(g, store, id, layers, n, ret_tree_id, e);
	render_layers_free(layers, n);
	return r;
}

int render_tree(const struct gantry *g, int store, const char *id, char **ret_tree_id,
		struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = store_manifest(store, id, &text, &len, e);

	if (r < 0)
		return r;
	m = image_manifest_parse(text, len, e);
	if (!m)
		return err_ctx(e, -EINVAL, "image %s", id);
	return render_tree_of(g, store, id, m, ret_tree_id, e);
}
