/*
 * Compressed streams: none, gzip, bzip2, xz, for layers of OCI images zstd as well, and no other.
 * The form is told by its first bytes.
 *
 * Several members behind each other are one stream, as each of the formats says; anything else
 * behind the end, but zeros, is an error.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define INFLATE_XZ_MEMORY (256u << 20) /* largest dictionary that is admitted, roughly; xz -9 needs 65 MiB */

#define INFLATE_ZSTD_WINDOW 27 /* log2 of the largest window: 128 MiB, as zstd(1) admits by itself */

enum inflate_forms {
	INFLATE_ACI, /* what appc allows */
	INFLATE_ANY,
};

/* The next bytes of the compressed stream, valid until the next call: 1, 0 at the end, -errno. */
typedef int (*inflate_source)(void *arg, const uint8_t **data, size_t *len, struct err *e);

struct inflate;

/* Reads the first bytes. NULL with a message. */
struct inflate *inflate_new(enum inflate_forms forms, inflate_source source, void *arg, struct err *e);
void inflate_free(struct inflate *f);
/* Fill the buffer as far as the stream goes: bytes put there (less than n: that was the end), -errno. */
ssize_t inflate_read(struct inflate *f, uint8_t *buf, size_t n, struct err *e);
/* Compressed bytes so far. */
uint64_t inflate_input(const struct inflate *f);
