/*
 * The trees that an app of an image starts from, one above the other.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct gantry;
struct image_manifest;

/* Whether the image is one of OCI's. */
bool oci_stack_is(int store, const char *image_id);
/*
 * Ids of trees in the store, bottom first, as treeStoreID has them; what is not there is made.  Of an OCI image:
 * its layers and, where need be, one of attributes on top of them; of an ACI the one tree that render_tree()
 * gives.  m: its manifest, or NULL.  The caller owns *ret, and holds locks/prepareLock shared until they are
 * written down.
 */
int oci_stack_of(const struct gantry *g, int store, const char *image_id, const struct image_manifest *m, char ***ret,
		 struct err *e);

/*
 * A directory that a layer has no entry for, but something in, has the attributes that lower layers gave it;
 * overlayfs would show those that it got when the layer was unpacked.  So they are put on top of the stack, as
 * a tree of nothing but directories, wherever the two differ.  tree_ids: the image's layers, bottom first.
 * *ret: owned by the caller, NULL when there is nothing to say.
 */
int oci_stack_make_attrs(const struct gantry *g, int store, const char *image_id, char *const *tree_ids, char **ret,
			 struct err *e);
/* The same as the directory rootfs in the directory `top`, whether there is something to say or not. */
int oci_stack_write_attrs(int store, char *const *tree_ids, int top, struct err *e);
