/*
 * Layers of OCI images: each stored once, whatever number of images has it.
 *
 *	cas/image/ID/layers			the layers of the image, bottom first; there <=> it is an OCI image
 *	cas/blob/sha256-HEX/{blob,diffid}	a layer as it was downloaded, by its digest; and what it
 *						inflates to, "sha256:...", which was verified as well
 *	cas/tree/layer-sha256-HEX/{rootfs,implied}	what is in it, by its diff id, in the form that overlayfs
 *						stacks: a character device 0:0 hides a name of the layers
 *						below, trusted.overlay.opaque all names in a directory (of
 *						rootfs itself as well, where overlayfs does not look: whoever
 *						stacks ends the stack there).
 *						implied: the directories that the archive had no entry for, a
 *						line each, below rootfs, "." for rootfs itself, escaped
 *						(base/path_escape.h); absent when there are none.
 *
 * Used by: every image's `layers`, every pod's treeStoreID, and TMP/image/layers of whoever is fetching an
 * image.  So a pull writes that file into its temporary directory before it asks what is there, and
 * gc, which looks there first and at the images then, does not miss it.
 */
#pragma once

#include "base/str.h"
#include "stage0/store/store.h"

#define IMAGE_LAYERS "layers" /* in cas/image/ID */
#define TREE_IMPLIED "implied" /* in cas/tree/layer-... */
#define BLOB_DIFF_ID "diffid"  /* in cas/blob/... */
#define BLOB_UNPACKED "unpacked" /* there: how many bytes its files have, when that is known */
#define LAYERS_FILE_MAX (1u << 20)

struct store_layer {
	char *digest;	  /* of the blob, "sha256:..." or "sha512:..." */
	int64_t size;	  /* of the blob */
	char *diff_id;	  /* "sha256:..." */
	char *tree_id;	  /* "layer-sha256-..." */
	char *media_type; /* as the manifest has it; it cannot hold a line feed */
};

struct store_layers {
	struct store_layer *v;
	size_t n;
};
void store_layers_done(struct store_layers *l);
#define _cleanup_store_layers_ __attribute__((cleanup(store_layers_done)))

/* Append one; -EINVAL: a digest that is none, or of a kind that is not stored. */
int store_layers_add(struct store_layers *l, const char *digest, int64_t size, const char *diff_id,
		     const char *media_type, struct err *e);
/* The text of the file, and back. */
char *store_layers_print(const struct store_layers *l);
int store_layers_parse(const char *text, struct store_layers *ret, struct err *e);
/* cas/image/ID/layers; -ENOENT: the image is none of OCI's. */
int store_layers(int store, const char *id, struct store_layers *ret, struct err *e);
/* Bytes of the blobs together, each counted once. */
int64_t store_layers_size(const struct store_layers *l);

enum {
	LAYER_HAS_BLOB = 1 << 0, /* and its verified diff id is this one */
	LAYER_HAS_TREE = 1 << 1,
};
unsigned store_layer_state(int store, const struct store_layer *l);
/* How many bytes its files have: at least the blob's size, where nobody noted more. */
uint64_t store_layer_unpacked(int store, const struct store_layer *l);
/* O_RDONLY of the blob. */
int store_layer_blob(int store, const char *digest, struct err *e);
/* Take a blob away that turned out to be damaged. */
int store_layer_drop(int store, const char *digest, struct err *e);
/*
 * TMP/layer/{blob,diffid} becomes cas/blob/..., TMP/tree (with rootfs in it) cas/tree/...; either may be
 * missing in TMP.  Synced before they get their names; what is there already stays.
 */
int store_publish_layer(int store, const struct store_tmp *tmp, const struct store_layer *l, struct err *e);
