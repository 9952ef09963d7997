/*
 * The tree that an app of an image starts from: the image's own layer, or, where the image has
 * dependencies or a pathWhitelist, one that is put together from several layers (appc
 * specification, "Dependency Matching" and "pathWhitelist").
 *
 *	cas/tree/sha512-...        what one image itself holds
 *	cas/tree/deps-sha512-...   rendered: directories, and hard links to the files of the layers
 *
 * A rendered tree's name is the hash of its recipe (which layers, with which white lists), so that
 * images which come to the same have one tree, and a dependency that changed makes a new one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "spec/image_id.h"
#include "spec/image_manifest.h"

struct gantry;

/*
 * One visit of an image on the way through the dependencies; the lists are sorted, relative paths.
 */
struct render_layer {
	char id[IMAGE_ID_LEN + 1];
	/*
	 * What of it is wanted: the white lists of this image and of all above it on this way,
	 * taken together.  The image's own list does not concern directories.
	 */
	bool some_files, some_dirs; /* false: all */
	char **files, **dirs;
};

/* Whether the image needs a rendered tree; without, its own layer is the tree. */
static inline bool render_is_needed(const struct image_manifest *m)
{
	return m->n_dependencies || (m->path_whitelist && m->path_whitelist[0]);
}

/*
 * The tree of an image in the store: its id (owned by the caller), which is the image's own for one
 * that needs no rendering.  What is not there is made: cheap when there is nothing to do.  The
 * dependencies must be in the store; -ENOENT names the one that is missing.
 *
 * Whoever relies on the tree holds locks/prepareLock shared (store_lock_use()), from before the
 * call until the id is written down.
 */
int render_tree(const struct gantry *g, int store, const char *id, char **ret_tree_id,
		struct err *e);
/* The same for who has read the manifest already. */
int render_tree_of(const struct gantry *g, int store, const char *id,
		   const struct image_manifest *m, char **ret_tree_id, struct err *e);

/*
 * The layers, bottom first, the image itself last: each dependency with its own dependencies before
 * it, in the order of the lists; one that is reached in two ways is there twice.  -ELOOP for a
 * cycle, -ENOENT for what is not in the store.
 */
int render_order(int store, const char *id, struct render_layer **ret, size_t *ret_n,
		 struct err *e);
void render_layers_free(struct render_layer *layers, size_t n);
