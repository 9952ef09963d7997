/*
 * Making an image: of a layout (a directory with manifest and rootfs), or of another image.
 */
#pragma once

#include "stage0/build/patch.h"

struct gantry;

struct build_request {
	struct patch_request patch;
	char *manifest; /* path of one that takes the place of the source's, or NULL */
	bool from_image, overwrite, owner_root, no_compression;
	char *mtime; /* seconds since the epoch, for everything; NULL: as the files have it */
};

/* SOURCE to OUT, which appears when it is whole. *ret_id: owned by the caller. */
int build_image(const struct gantry *g, const struct build_request *rq, const char *source,
		const char *out, char **ret_id, struct err *e);
