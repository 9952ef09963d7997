/*
 * The store: images that were verified, and their trees.
 *
 *	cas/image/ID/{manifest,blob,info,signature}  there <=> the image is in the store
 *	cas/tree/ID/rootfs                           its root file system, read-only to everybody
 *	cas/blob/, cas/tree/layer-...                layers of OCI images (layer.h)
 *	cas/tmp/NAME/                                work in progress; its maker holds a flock on it
 *
 * An image appears by one rename(2), after its tree was renamed into place and everything was
 * synced; half of one is never visible.  What a killed process leaves in cas/tmp is not locked, so
 * that store_gc() knows it.  There is no index that could disagree with the directories.
 *
 * Ids are whole here ("sha512-" and 128 digits); store_find() turns what a user wrote into one.
 *
 * Locks: whoever looks an image up and then relies on its tree (run, prepare: until treeStoreID of
 * the pod is written) holds locks/prepareLock shared; store_remove() and store_gc() take it
 * exclusively before they remove a tree.  No function here waits for a lock that its caller could
 * hold.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "spec/image_id.h"

struct gantry;
struct id_map;
struct dependency;

#define TREE_RECIPE "recipe" /* in cas/tree/deps-...: what it was made of (stage0/render) */
#define IMAGE_TREE "tree"    /* in cas/image/ID: the id of the rendered tree it had last time */

/* cas/image/ID/info, decoded. */
struct store_info {
	char id[IMAGE_ID_LEN + 1];
	char *name, *version; /* version: the label, or NULL */
	char *signer; /* fingerprint of the primary key, or NULL: imported without a check */
	char *source; /* what it was fetched from */
	int64_t import_time_ns; /* CLOCK_REALTIME */
	int64_t last_used_ns;
	int64_t blob_size, tree_size;
};

struct store_list {
	struct store_info *v;
	size_t n;
};

/*
 * Open the store below g->data_dir, making its directories where they are missing.  Returns a
 * descriptor (O_PATH) of the data directory, which all calls below take as `store`.  On a read-only
 * file system whatever is there is opened.
 */
int store_open(const struct gantry *g, struct err *e);
/*
 * For commands that only look: no directory is made; -ENOENT when there is no store (an empty one).
 */
int store_open_existing(const struct gantry *g, struct err *e);

/*
 * What a user wrote -> id (owned by the caller): an id or the beginning of one with at least two
 * digits, or name[:version][,label=value...].  All labels that were given must match; among several
 * the one that was imported last, but without a version one labelled "latest" comes first.
 * -ENOENT "no image IDs found" / "no image ... in the store", -ENOTUNIQ "ambiguous image ID",
 * -EINVAL "image ID too short".
 */
int store_find(int store, const char *ref, char **ret_id, struct err *e);
/*
 * The image that a manifest's dependency means: the one with its imageID, if it is given (name and
 * labels must then fit, else -EINVAL), else as store_find() with name and labels.  `images`: a list
 * that the caller has, or NULL.  -ENOENT "dependency NAME is not in the store".
 */
int store_find_dependency(int store, const struct store_list *images, const struct dependency *d,
			  char **ret_id, struct err *e);
/* Whether this whole id is in the store: 1, 0, -errno. */
int store_has(int store, const char *id);
/* The manifest's exact bytes (NUL-terminated besides), owned by the caller. */
int store_manifest(int store, const char *id, char **ret, size_t *ret_len, struct err *e);
int store_info(int store, const char *id, struct store_info *ret, struct err *e);
void store_info_done(struct store_info *info);
/* How much the image's own tree takes, for the list; best effort. */
void store_set_tree_size(int store, const char *id, int64_t size);
/* Decode the bytes of an info file; takes over `data`. */
int store_info_parse(char *data, size_t len, struct store_info *ret, struct err *e);
/* All images, by import time. */
int store_list(int store, struct store_list *ret, struct err *e);
void store_list_done(struct store_list *l);

/* O_PATH of cas/image/ID. */
int store_image_dir(int store, const char *id, struct err *e);
/* "cas/tree/ID/rootfs", relative to the store; owned by the caller. */
char *store_tree_path(const char *id);
/* O_PATH of the tree's rootfs; -ENOENT when it is not there. */
int store_tree_open(int store, const char *id, struct err *e);
/*
 * Copy the tree into the empty directory `dirfd`, which becomes the root: owners, modes, times,
 * extended attributes, hard links and holes as they are.  For hosts without overlayfs.
 */
int store_tree_copy(int store, const char *id, int dirfd, struct err *e);
/*
 * The same of trees one above the other, bottom first: what overlayfs would show of them. With `users` (may be NULL)
 * whatever names an id names the one that it is on the host; who is none of these is refused by path.
 */
int store_trees_copy(int store, char *const *ids, int dirfd, const struct id_map *users, struct err *e);

/* Note that the image was used now; best effort, never an error. */
void store_touch(int store, const char *id);

/* locks/prepareLock, made when missing: returns the descriptor that holds it. */
int store_lock_use(int store, enum lock_kind kind, bool wait, struct err *e);

/*
 * Remove the image, its tree or the layers that no other image has, and the rendered trees that it is
 * a layer of: trees when no pod names them and the prepare lock can be had at once (gc takes them otherwise).  -ENOENT when it is not
 * there.
 */
int store_remove(int store, const char *id, struct err *e);
/*
 * Remove what nobody owns: unlocked directories in cas/tmp, trees and layers without an image and without a
 * pod that are older than grace_ns, what is known of downloads that led to nothing.  Waits for the
 * prepare lock.
 */
int store_gc(int store, int64_t grace_ns, struct err *e);
/* Told of what was removed: "tree" or "image", and its id. */
typedef void (*store_gone)(const char *what, const char *id);
/*
 * Remove what is not used: the same and all other trees that no pod names (they are made again from
 * the archives when they are wanted), then images that were not used for grace_ns and that no pod
 * was made of which is being prepared, is prepared or runs.
 */
int store_gc_unused(int store, int64_t grace_ns, store_gone gone, struct err *e);

/* --- for the fetch pipeline: making an image --- */

struct store_tmp {
	int dir;	/* the locked directory; everything of the work is below it */
	char name[32];	/* below cas/tmp */
	bool published; /* the image has its name; the rest goes all the same */
};
#define STORE_TMP_INIT {.dir = -EBADF}

/* A fresh locked directory in cas/tmp. */
int store_tmp_new(int store, struct store_tmp *ret, struct err *e);
/*
 * Publish: TMP/tree (with rootfs in it) becomes cas/tree/ID, TMP/image/{manifest,blob} and the info
 * that is given becomes cas/image/ID.  Everything is synced before it gets its name, and the names
 * after that.  When the image is there already, by us or by somebody who was faster, the answer is
 * 0 as well.
 */
int store_publish(int store, struct store_tmp *tmp, const struct store_info *info, struct err *e);
/* TMP/NAME (with rootfs in it) becomes cas/tree/ID; one that is there already stays. */
int store_publish_tree(int store, const struct store_tmp *tmp, const char *name,
		       const char *tree_id, struct err *e);
/*
 * The image is in the store and was fetched again: write what is known of it now; a signer of
 * before stays when this time nobody asked.
 */
int store_refresh(int store, const struct store_info *info, struct err *e);
/* O_RDONLY of the archive as it was downloaded. */
int store_blob_open(int store, const char *id, struct err *e);
/* Remove the directory with whatever is left in it and release the lock. */
void store_tmp_done(int store, struct store_tmp *tmp);
/* Remove those in cas/tmp whose maker is gone. */
int store_tmp_sweep(int store, struct err *e);
