/*
 * One pass over an image: inflated by one thread, hashed by another, and unpacked by the caller's.
 */
#pragma once

#include "stage0/worker/arriving.h"
#include "stage0/worker/check.h"
#include "stage0/worker/layer.h"
#include "stage0/worker/untar.h"
#include "spec/image_id.h"

struct unpack_limits {
	struct untar_limits tar;
	uint64_t ratio;	      /* bytes of output for each of input ... */
	uint64_t ratio_after; /* ... looked at when so many came out */
};
#define UNPACK_LIMITS_DEFAULT {.tar = UNTAR_LIMITS_DEFAULT, .ratio = 200, .ratio_after = 100u << 20}

struct unpack_result {
	char id[IMAGE_ID_LEN + 1]; /* of the uncompressed stream, to its very end */
	struct untar_result tar;
};

/* Load what the hash needs, before a jail closes the way to its files. */
int unpack_init(struct err *e);
int unpack(struct arriving *image, int top, const struct unpack_limits *limits,
	   untar_manifest manifest, void *arg, struct unpack_result *ret, struct err *e);
/*
 * Nothing is unpacked: what is wrong with it, all of it.  0 with findings, or an error that ended
 * the reading.
 */
int unpack_check(struct arriving *image, const struct unpack_limits *limits,
		 untar_manifest manifest, void *arg, struct check_findings *findings,
		 struct unpack_result *ret, struct err *e);
/*
 * Without looking at what it holds: the id, and the uncompressed stream into `out` (-EBADF:
 * nowhere).
 */
int unpack_plain(struct arriving *image, int out, const struct unpack_limits *limits, char *ret_id,
		 struct err *e);

struct unpack_layer_how {
	bool sha512;	/* the blob's digest is one of that kind */
	bool hash_only; /* the tree is there: nothing is unpacked */
};
struct unpack_layer_result {
	char digest[7 + 128 + 1];  /* of the blob, "sha256:..." */
	char diff_id[7 + 64 + 1];  /* of the uncompressed stream; both to the very end */
	struct untar_result tar;
	struct layer_lists lists;
};
/* A layer of an OCI image. */
int unpack_layer(struct arriving *blob, int top, const struct unpack_layer_how *how,
		 const struct unpack_limits *limits, struct unpack_layer_result *ret, struct err *e);
