/*
 * Digests of a file: the names under which OCI images and their parts are known.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "spec/image_id.h"

#define DIGEST_SHA256_LEN (7 + 64) /* "sha256:" and the digits */

struct digests {
	char sha256[DIGEST_SHA256_LEN + 1];
	char sha512_id[IMAGE_ID_LEN + 1]; /* "sha512-..." */
	uint64_t bytes;
};

/* "sha256:" and the digits of a raw SHA-256. */
void digest_print_sha256(const unsigned char raw[32], char ret[DIGEST_SHA256_LEN + 1]);
/* "sha512-" and the digits of a raw SHA-512. */
void digest_print_id(const unsigned char raw[64], char ret[IMAGE_ID_LEN + 1]);
/* Of the whole file, from its beginning. */
int digest_file(int fd, struct digests *ret, struct err *e);
