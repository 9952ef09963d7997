/*
 * Whether the trees that an image starts from are still what its archives hold.
 */
#pragma once

#include "base/err.h"

struct gantry;
struct store_tmp;

enum verify {
	VERIFY_NOT_RENDERED, /* there is no tree: the next start makes it from the archive */
	VERIFY_GOOD,
	VERIFY_MENDED, /* it was wrong, and is right now */
};

/*
 * One tree: make() puts what it should be into TMP/fresh, with rootfs in it; *result is raised to what is
 * found. `report` is told before what was wrong is mended on.
 */
struct verify_tree {
	const char *tree_id;
	int (*make)(void *arg, const struct store_tmp *tmp, struct err *e);
	void *arg;
	void (*report)(const char *tree_id, const char *why);
};
int verify_tree(int store, const struct verify_tree *t, enum verify *result, struct err *e);

/*
 * Unpack the archives of the image and of its dependencies again, compare, and put right what
 * differs. `report` is told of each tree that was wrong before it is mended on.  An archive that
 * does not hash to its id any more is -EBADMSG.
 */
int render_verify(const struct gantry *g, int store, const char *id, enum verify *ret,
		  void (*report)(const char *tree_id, const char *why), struct err *e);
