/*
 * Whether the trees that an image starts from are still what its archives hold.
 */
#pragma once

#include "base/err.h"

struct gantry;

enum verify {
	VERIFY_NOT_RENDERED, /* there is no tree: the next start makes it from the archive */
	VERIFY_GOOD,
	VERIFY_MENDED, /* it was wrong, and is right now */
};

/*
 * Unpack the archives of the image and of its dependencies again, compare, and put right what
 * differs. `report` is told of each tree that was wrong before it is mended on.  An archive that
 * does not hash to its id any more is -EBADMSG.
 */
int render_verify(const struct gantry *g, int store, const char *id, enum verify *ret,
		  void (*report)(const char *tree_id, const char *why), struct err *e);
