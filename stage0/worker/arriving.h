/*
 * A file that is still being written: by the parent, which tells on a pipe how much is there.
 *
 * Each message is 8 bytes: the size so far, and the top bit once that is the whole.  The end of the
 * pipe without it means that the source failed; then there is nothing to be done with the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define ARRIVING_WHOLE (1ull << 63)

struct arriving {
	int file, progress;
	uint64_t there, pos;
	bool whole;
	_Atomic bool stop; /* by another thread: nobody wants more, so do not wait for it */
	/* Private to arriving_next(): */
	void *map;
	size_t map_len;
	uint8_t *buffer; /* where there is nothing that could be mapped */
};

/* At most n bytes from where we are; waits for them. 0: the end of the whole file. */
ssize_t arriving_read(struct arriving *a, void *buf, size_t n, struct err *e);
/*
 * The next bytes as they lie in the file, valid until the next call: 1, 0 at the end, -errno.  Whoever writes the
 * file does not shorten it while somebody reads.
 */
int arriving_next(struct arriving *a, const uint8_t **data, size_t *len, struct err *e);
void arriving_done(struct arriving *a);
