/*
 * Private to stage0/store.
 */
#pragma once

#include "base/str.h"
#include "stage0/store/store.h"

#define STORE_CAS "cas"
#define STORE_REMOTE "cas/remote"
#define STORE_PARTIAL "cas/partial"
#define STORE_BLOB "cas/blob"
#define INFO_FILE "info"
#define BLOB_FILE "blob"
#define MANIFEST_FILE "manifest"

/*
 * A directory of the store's own, open to be read and synced; made again if somebody took it away.
 */
int store_dir(int store, const char *path, struct err *e);

/* Write `info` into the open image directory; durable. */
int info_write(int image_dir, const struct store_info *info, struct err *e);

/* store_info() for a valid id, with cas/image open. */
int store_info_at(int images, const char *id, struct store_info *ret, struct err *e);
/*
 * Ids of the directories in cas/image or cas/tree, in no order; names that are no id are left out.
 */
int store_ids(int store, const char *where, char ***ret, struct err *e);
/* Ids of the trees, rendered ones as well. */
int store_tree_ids(int store, char ***ret, struct err *e);
/* Whether the rendered tree was made with this layer; also when that cannot be told. */
bool store_tree_has_layer(int store, const char *tree_id, const char *id);
/* Whether an image that the tree was made of is not in the store any more. */
bool store_tree_is_orphan(int store, const char *tree_id);
/* Take cas/KIND/ID away from under its name; the rest of the removal nobody waits for. */
int store_take_away(int store, const char *where, const char *id, const struct store_tmp *tmp,
		    const char *as, struct err *e);
/* Directories and files below `path`, as a strv (to be freed); none when it is not there. */
char **store_names_in(int dirfd, const char *path);
/* cas/remote, cas/partial: what belongs to nothing. */
void store_gc_downloads(int store);
/* Ids of the trees that a pod in prepare, prepared, run or exited-garbage names. */
int store_trees_in_use(int store, char ***ret, struct err *e);
/* Ids of the images that a pod which is being prepared, is prepared or runs was made of. */
int store_images_in_use(int store, char ***ret, struct err *e);

/* --- layer.c, layer_use.c --- */
struct store_layers;
/* "sha256-..." of a checked digest; owned by the caller. */
char *store_blob_name(const char *digest);

/* What images and fetches say they use; sorted. */
struct store_layer_uses {
	char **trees, **claimed, **blobs; /* claimed: the trees of those that are being fetched */
	size_t n_trees, n_claimed, n_blobs;
};
/* An error when one of the lists cannot be read: then nothing may be taken for unused. */
int store_layer_uses(int store, struct store_layer_uses *ret, struct err *e);
void store_layer_uses_done(struct store_layer_uses *u);
bool store_layer_uses_tree(const struct store_layer_uses *u, const char *tree_id);
bool store_layer_claims_tree(const struct store_layer_uses *u, const char *tree_id);
bool store_layer_uses_blob(const struct store_layer_uses *u, const char *name);
/* Blobs that nobody uses and `wanted` says are to go. */
int store_gc_blobs(int store, bool (*wanted)(int store, const char *name, const void *arg), const void *arg,
		   const struct store_layer_uses *u, const struct store_tmp *tmp, store_gone gone, struct err *e);
/* Those of these layers that nobody uses any more; best effort, gc takes the rest. */
void store_remove_layers(int store, const struct store_layers *l, char *const *used_trees, const struct store_tmp *tmp);
