/*
 * The tree of an image from its archive: every name checked, every call on a descriptor below the
 * new root, nothing followed, nothing replaced.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stage0/worker/tar.h"

struct untar_limits {
	uint64_t bytes; /* sizes of all files together */
	uint64_t entries;
	unsigned depth;	 /* of a path */
	/* make nothing: the names are checked, and that is all (who is not root owns no tree) */
	bool check_only;
};
#define UNTAR_LIMITS_DEFAULT {.bytes = 8ull << 30, .entries = 1000000, .depth = 200}

/* Called with the manifest's bytes as soon as it was read. */
typedef int (*untar_manifest)(void *arg, const char *data, size_t len, struct err *e);

struct untar_result {
	uint64_t bytes, entries;
};

/*
 * Unpack into `top` (a directory that is empty), where rootfs/ is made.  The archive has exactly
 * `manifest` and `rootfs/`; anything else is an error.
 */
int untar(struct tar *t, int top, const struct untar_limits *limits, untar_manifest manifest,
	  void *arg, struct untar_result *ret, struct err *e);
