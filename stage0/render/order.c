/*
 * From an image to its layers: a walk through the manifests, depth first.
 */
#include <errno.h>
#include <string.h>

#include "stage0/render/internal.h"

/* Manifests that were read: a diamond comes by again. */
struct known {
	char id[IMAGE_ID_LEN + 1];
	struct image_manifest *manifest;
};

struct walk {
	int store;
	struct store_list images;
	bool have_images;
	struct known *known;
	size_t n_known;
	const struct image_manifest *way[RENDER_DEPTH_MAX]; /* from the top to where we are */
	const char *way_ids[RENDER_DEPTH_MAX];
	size_t depth;
	struct render_layer *layers;
	size_t n_layers, lists;
};

void render_layers_free(struct render_layer *layers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		strv_free(layers[i].files);
		strv_free(layers[i].dirs);
	}
	free(layers);
}

static int load(struct walk *w, const char *id, const struct image_manifest **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct known *k;
	size_t len;
	int r;

	for (size_t i = 0; i < w->n_known; i++)
		if (!strcmp(w->known[i].id, id)) {
			*ret = w->known[i].manifest;
			return 0;
		}
	r = store_manifest(w->store, id, &text, &len, e);
	if (r < 0)
		return r;
	w->known = xgrow(w->known, w->n_known, sizeof *w->known);
	k = &w->known[w->n_known];
	k->manifest = image_manifest_parse(text, len, e);
	if (!k->manifest)
		return err_ctx(e, -EINVAL, "image %s", id);
	memcpy(k->id, id, IMAGE_ID_LEN + 1);
	w->n_known++;
	*ret = k->manifest;
	return 0;
}

static int report_cycle(const struct walk *w, size_t from, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = from; i < w->depth; i++)
		strbuf_addf(&sb, "%s -> ", w->way[i]->name);
	return err_set(e, ELOOP, "dependency cycle: %s%s", sb.buf, w->way[from]->name);
}

/* Ended by NULL for strv_free(). */
static char **take_list(struct path_list *l)
{
	char **v = xgrow(l->v, l->n, sizeof *v);

	v[l->n] = NULL;
	*l = (struct path_list) {0};
	return v;
}

static int add_layer(struct walk *w, const char *id, const struct image_manifest *m,
		     const struct path_list *upper, struct err *e)
{
	struct path_list own, files, dirs, all = {0};
	struct render_layer *layer;

	if (w->n_layers == RENDER_LAYERS_MAX)
		return err_set(e, E2BIG, "the dependencies come to more than %d layers",
			       RENDER_LAYERS_MAX);
	path_list_read(m->path_whitelist, &own);
	path_list_both(&own, upper, &files);
	path_list_both(upper, &all, &dirs);
	path_list_done(&own);
	w->lists += path_list_bytes(&files) + path_list_bytes(&dirs);
	w->layers = xgrow(w->layers, w->n_layers, sizeof *w->layers);
	layer = &w->layers[w->n_layers++];
	*layer = (struct render_layer) {.some_files = files.some, .some_dirs = dirs.some};
	memcpy(layer->id, id, IMAGE_ID_LEN + 1);
	layer->files = take_list(&files);
	layer->dirs = take_list(&dirs);
	return w->lists > RENDER_LISTS_MAX
		       ? err_set(e, E2BIG, "the white lists of the dependencies are too long")
		       : 0;
}

static int visit(struct walk *w, const char *id, const struct path_list *upper, struct err *e);

static int visit_dependency(struct walk *w, const struct dependency *d,
			    const struct path_list *upper, struct err *e)
{
	_cleanup_free_ char *id = NULL;
	int r = 0;

	/* Once for all: with thousands of images each look-up would read them all. */
	if (!w->have_images && !d->image_id)
		r = store_list(w->store, &w->images, e);
	w->have_images |= r == 0 && !d->image_id;
	if (r == 0)
		r = store_find_dependency(w->store, w->have_images ? &w->images : NULL, d, &id, e);
	return r < 0 ? r : visit(w, id, upper, e);
}

static int visit(struct walk *w, const char *id, const struct path_list *upper, struct err *e)
{
	struct path_list own, below;
	const struct image_manifest *m = NULL;
	int r = load(w, id, &m, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < w->depth; i++)
		if (!strcmp(w->way_ids[i], id))
			return report_cycle(w, i, e);
	if (w->depth == RENDER_DEPTH_MAX)
		return err_set(e, E2BIG, "image %s: dependencies are nested more than %d deep",
			       m->name, RENDER_DEPTH_MAX);
	w->way[w->depth] = m;
	w->way_ids[w->depth++] = id;
	path_list_read_parents(m->path_whitelist, &own);
	path_list_both(&own, upper, &below);
	path_list_done(&own);
	for (size_t i = 0; r == 0 && i < m->n_dependencies; i++)
		r = visit_dependency(w, &m->dependencies[i], &below, e);
	path_list_done(&below);
	w->depth--;
	return r < 0 ? r : add_layer(w, id, m, upper, e);
}

int render_order(int store, const char *id, struct render_layer **ret, size_t *ret_n, struct err *e)
{
	struct path_list all = {0};
	struct walk w = {.store = store};
	int r = visit(&w, id, &all, e);

	for (size_t i = 0; i < w.n_known; i++)
		image_manifest_free(w.known[i].manifest);
	free(w.known);
	store_list_done(&w.images);
	if (r < 0) {
		render_layers_free(w.layers, w.n_layers);
		/* What is wrong with the image itself names it already. */
		return w.n_known ? err_ctx(e, r, "image %s", id) : r;
	}
	*ret = w.layers;
	*ret_n = w.n_layers;
	return 0;
}
