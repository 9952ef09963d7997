/*
 * The tree of one layer from its archive, in the form that overlayfs stacks: a whiteout is a character
 * device 0:0.  Opaque directories need an attribute that only the host's root may set: they are
 * listed, for the main program to do it.
 *
 * A store that lies on an overlay can have neither (nor can overlays lie on it): there a whiteout is a socket,
 * which no archive can bring, and an opaque directory has one of the name .wh..wh..opq.  sys/stack.h knows both.
 *
 * Within a layer a later entry takes the place of an earlier one.  A symbolic link in the way is
 * followed as chroot(2) into the layer would do it.
 */
#pragma once

#include "stage0/worker/untar.h"

/* What must be known of the layer besides its tree; paths below its root, "." for the root itself. */
struct layer_lists {
	char **opaque;	/* strv, sorted: directories that hide all that is below them in lower layers */
	char **implied; /* strv, sorted: directories that no entry told the attributes of */
	char **hiding;	/* strv, sorted: directories with a whiteout in them */
};
void layer_lists_done(struct layer_lists *l);
#define _cleanup_layer_lists_ __attribute__((cleanup(layer_lists_done)))

/* Unpack into `top` (a directory that is empty), where rootfs/ is made. */
int layer_untar(struct tar *t, int top, const struct untar_limits *limits, struct layer_lists *lists,
		struct untar_result *ret, struct err *e);
