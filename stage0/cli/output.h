/*
 * A file that a command writes: it has no name before it is whole, or one of its own where the file
 * system cannot do that; a pipe or a device is written into.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct output {
	const char *path; /* borrowed */
	bool special;
	char *temp; /* NULL: no name, or special */
	int fd;
};
#define OUTPUT_INIT {.fd = -EBADF}

/* -EEXIST "file exists (try --overwrite)". */
int output_open(const char *path, bool overwrite, struct output *ret, struct err *e);
/* From the beginning of one file to its end, within the file system or the kernel where that can be had. */
int output_copy(int from, int to);
/* `len` bytes from `offset` on, the same way; -EIO when there are fewer. */
int output_copy_range(int from, int64_t offset, uint64_t len, int to);
/*
 * Give it its name and close it.  That it cannot be closed has a status of its own, as in rkt: the
 * answer is then OUTPUT_NOT_CLOSED, and it was said.
 */
#define OUTPUT_NOT_CLOSED 1
int output_finish(struct output *o, bool overwrite, struct err *e);
/* What is not finished goes. */
void output_discard(struct output *o);
#define _cleanup_output_ __attribute__((cleanup(output_discard)))
