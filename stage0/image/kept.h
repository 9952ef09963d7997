/*
 * What can be done again with the archive that the store keeps: its tree is a cache of it.
 *
 * All of it is the unpack worker's; gantry itself never reads the archive.
 */
#pragma once

#include "base/err.h"
#include "spec/image_id.h"
#include "stage0/store/store.h"

struct gantry;

/*
 * Unpack the archive into TMP/NAME, where NAME/rootfs then is, and check that it still hashes to the
 * image's id: -EBADMSG if it does not.
 */
int kept_unpack(const struct gantry *g, int store, const char *id, const struct store_tmp *tmp, const char *name,
		struct err *e);
/* Make sure that the image's own tree is there: gc may have taken it. Cheap when it is. */
int kept_tree(const struct gantry *g, int store, const char *id, struct err *e);
/* The uncompressed archive into the open file, checked against the id: -EBADMSG. */
int kept_inflate(const struct gantry *g, int store, const char *id, int out, struct err *e);
/* The SHA-512 of some bytes in the form of an id. */
int kept_digest(const struct gantry *g, int store, const char *data, size_t len, char ret[IMAGE_ID_LEN + 1],
		struct err *e);
