/*
 * Starting the pack worker (stage0/worker/pack_main.c): a tree or an image, and a manifest, to an
 * archive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct gantry;

struct packer {
	const struct gantry *g;
	bool patch; /* `blob` is an image; else `tree` is the directory that becomes rootfs */
	int tree, blob, out;
	const char *manifest;
	size_t manifest_len;
	int64_t manifest_mtime;
	bool owner_root, gzip, fixed_time;
	int64_t mtime;
};

/* Writes to `out`; *ret_id is the image's id, owned by the caller. */
int packer_run(const struct packer *p, char **ret_id, struct err *e);
/* The names in a directory, sorted; strv, appended. */
int packer_list(int dir, char ***ret, struct err *e);
