/*
 * Who uses the layers: images, and those who are fetching one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "contract/layout.h"
#include "stage0/store/internal.h"
#include "stage0/store/layer.h"

struct sums {
	size_t trees, claimed, blobs;
};

static int add_list(const char *text, bool claim, struct store_layer_uses *u, struct sums *n, struct err *e)
{
	_cleanup_store_layers_ struct store_layers l = {0};
	int r = store_layers_parse(text, &l, e);

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		strv_push_n(&u->trees, &n->trees, xstrdup(l.v[i].tree_id));
		if (claim)
			strv_push_n(&u->claimed, &n->claimed, xstrdup(l.v[i].tree_id));
		strv_push_n(&u->blobs, &n->blobs, store_blob_name(l.v[i].digest));
	}
	return r;
}

/* WHERE/NAME/PATH for each name. A list that cannot be read could name anything: nothing is removed then. */
static int add_all(int store, const char *where, const char *path, struct store_layer_uses *u, struct sums *n,
		   struct err *e)
{
	_cleanup_strv_ char **names = store_names_in(store, where);
	bool claim = str_eq(where, DATA_CAS_TMP);

	for (size_t i = 0, count = strv_len(names); i < count; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s/%s", where, names[i], path), *text = NULL;
		size_t len;
		int r = file_read_at(store, file, LAYERS_FILE_MAX, &text, &len, e);

		if (r == -ENOENT || r == -ENOTDIR) {
			err_done(e);
			continue;
		}
		if (r == 0)
			r = add_list(text, claim, u, n, e);
		if (r < 0)
			return err_ctx(e, r, "%s", file);
	}
	return 0;
}

int store_layer_uses(int store, struct store_layer_uses *ret, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	struct store_layer_uses u = {0};
	struct sums n = {0};
	/* In this order: what gets its name in the meantime is met twice rather than not at all. */
	int r = add_all(store, DATA_CAS_TMP, "image/" IMAGE_LAYERS, &u, &n, &why);

	if (r == 0)
		r = add_all(store, DATA_CAS_IMAGE, IMAGE_LAYERS, &u, &n, &why);
	if (r < 0) {
		store_layer_uses_done(&u);
		return err_move(e, &why);
	}
	strv_sort(u.trees);
	strv_sort(u.claimed);
	strv_sort(u.blobs);
	u.n_trees = n.trees;
	u.n_claimed = n.claimed;
	u.n_blobs = n.blobs;
	*ret = u;
	return 0;
}

void store_layer_uses_done(struct store_layer_uses *u)
{
	strv_free(u->trees);
	strv_free(u->claimed);
	strv_free(u->blobs);
	*u = (struct store_layer_uses) {0};
}

static int compare(const void *key, const void *row)
{
	return strcmp(key, *(char *const *) row);
}

static bool has(char *const *v, size_t n, const char *s)
{
	return n && bsearch(s, v, n, sizeof *v, compare);
}

bool store_layer_uses_tree(const struct store_layer_uses *u, const char *tree_id)
{
	return has(u->trees, u->n_trees, tree_id);
}

bool store_layer_claims_tree(const struct store_layer_uses *u, const char *tree_id)
{
	return has(u->claimed, u->n_claimed, tree_id);
}

bool store_layer_uses_blob(const struct store_layer_uses *u, const char *name)
{
	return has(u->blobs, u->n_blobs, name);
}

/* --- removal; the caller holds the prepare lock, exclusively --- */

int store_gc_blobs(int store, bool (*wanted)(int store, const char *name, const void *arg), const void *arg,
		   const struct store_layer_uses *u, const struct store_tmp *tmp, store_gone gone, struct err *e)
{
	_cleanup_strv_ char **names = store_names_in(store, STORE_BLOB);
	int r = 0;

	for (size_t i = 0, n = strv_len(names); r == 0 && i < n; i++) {
		if (store_layer_uses_blob(u, names[i]) || !wanted(store, names[i], arg))
			continue;
		r = store_take_away(store, STORE_BLOB, names[i], tmp, names[i], e);
		if (r == 0 && gone)
			gone("layer", names[i]);
	}
	return r;
}

void store_remove_layers(int store, const struct store_layers *l, char *const *used_trees, const struct store_tmp *tmp)
{
	struct store_layer_uses u = {0};

	if (store_layer_uses(store, &u, NULL) < 0)
		return;
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_free_ char *blob = store_blob_name(l->v[i].digest);
		const char *tree = l->v[i].tree_id;

		if (!store_layer_uses_tree(&u, tree) && !strv_has(used_trees, tree))
			(void) store_take_away(store, DATA_CAS_TREE, tree, tmp, tree, NULL);
		if (!store_layer_uses_blob(&u, blob))
			(void) store_take_away(store, STORE_BLOB, blob, tmp, blob, NULL);
	}
	store_layer_uses_done(&u);
}

int store_layer_drop(int store, const char *digest, struct err *e)
{
	_cleanup_free_ char *name = store_blob_name(digest);
	struct store_tmp tmp = STORE_TMP_INIT;
	int r = store_tmp_new(store, &tmp, e);

	if (r == 0)
		r = store_take_away(store, STORE_BLOB, name, &tmp, "blob", e);
	store_tmp_done(store, &tmp);
	return r;
}
