/*
 * What only the host's root may do to the tree of a layer: the jailed worker lists it.
 */
#pragma once

#include "base/err.h"

#define LAYER_LISTS_MAX (32u << 20) /* bytes of the worker's lists */

/*
 * `tree` has rootfs in it.  Lines "opaque PATH": that directory gets trusted.overlay.opaque; "implied
 * PATH": the path goes into the file `implied`.  The lists are foreign: each path is resolved beneath
 * rootfs, and follows nothing.
 */
int layer_tree_finish(int tree, const char *lists, struct err *e);
