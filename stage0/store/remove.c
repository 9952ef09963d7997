/*
 * Taking an image out of the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "contract/layout.h"
#include "stage0/store/internal.h"
#include "stage0/store/layer.h"

int store_take_away(int store, const char *where, const char *id, const struct store_tmp *tmp,
		    const char *as, struct err *e)
{
	_cleanup_fd_ int dir = store_dir(store, where, e);

	if (dir < 0)
		return dir;
	if (renameat(dir, id, tmp->dir, as) < 0)
		return err_sys(e, "remove %s/%s", where, id);
	return file_sync_dir(dir, e);
}

/* Its own tree, or that of an OCI image's attributes, and the rendered ones that it is a layer of. */
static bool is_of_image(int store, const char *tree, const char *id)
{
	if (str_starts(tree, TREE_ID_ATTRS))
		return str_eq(tree + strlen(TREE_ID_ATTRS), id);
	return str_eq(tree, id) || store_tree_has_layer(store, tree, id);
}

/* As far as no pod names them; and the layers, as far as no other image has them. */
static int remove_unused_trees(int store, const char *id, const struct store_layers *layers,
			       const struct store_tmp *tmp)
{
	_cleanup_fd_ int lock = store_lock_use(store, LOCK_EXCLUSIVE, false, NULL);
	_cleanup_strv_ char **used = NULL, **trees = NULL;
	int r = lock;

	if (r >= 0)
		r = store_trees_in_use(store, &used, NULL);
	if (r >= 0)
		r = store_tree_ids(store, &trees, NULL);
	/* Somebody may have fetched it again since the image went. */
	if (r < 0 || store_has(store, id) != 0)
		return r;
	for (size_t i = 0, n = strv_len(trees); i < n; i++) {
		if (strv_has(used, trees[i]) || !is_of_image(store, trees[i], id))
			continue;
		r = store_take_away(store, DATA_CAS_TREE, trees[i], tmp, trees[i], NULL);
		if (r < 0)
			break;
	}
	if (layers->n)
		store_remove_layers(store, layers, used, tmp);
	return r;
}

/*
 * On a full disk there may be no room for a directory, but a name is free in cas/tmp. Nobody has a
 * lock on it: gc may help.
 */
static int remove_without_room(int store, const char *id, struct err *e)
{
	struct store_tmp shared = {.dir = store_dir(store, DATA_CAS_TMP, e)};
	_cleanup_free_ char *as = xasprintf("rm-%.40s.%d", id, (int) getpid());
	int r = shared.dir;

	if (r >= 0)
		r = store_take_away(store, DATA_CAS_IMAGE, id, &shared, as, e);
	if (r == 0)
		(void) path_remove_tree(shared.dir, as, NULL);
	(void) fd_close(shared.dir);
	return r;
}

int store_remove(int store, const char *id, struct err *e)
{
	_cleanup_store_layers_ struct store_layers layers = {0};
	struct store_tmp tmp = STORE_TMP_INIT;
	_cleanup_fd_ int dir = store_image_dir(store, id, e);
	int r = dir < 0 ? dir : store_tmp_new(store, &tmp, e);

	/* A list that cannot be read: what it named is gc's, then. */
	if (r == 0 || r == -ENOSPC || r == -EDQUOT)
		(void) store_layers(store, id, &layers, NULL);
	if (r == 0) {
		/* Not "image": that would be one that is being fetched (layer.h). */
		r = store_take_away(store, DATA_CAS_IMAGE, id, &tmp, "gone", e);
	} else if (r == -ENOSPC || r == -EDQUOT) {
		r = remove_without_room(store, id, e);
		if (r == 0)
			(void) store_tmp_new(store, &tmp, NULL);
	}
	/* What is in use now, or could not be asked now, is taken by gc. */
	if (r == 0 && tmp.dir >= 0)
		(void) remove_unused_trees(store, id, &layers, &tmp);
	store_tmp_done(store, &tmp);
	return r;
}
