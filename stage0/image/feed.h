/*
 * Bytes on their way into a file of the store, which workers read as it grows (worker/arriving.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct feed {
	int from;	 /* a pipe, or a file that is read where it stands; borrowed */
	bool is_pipe;
	int to;		 /* written at its offset; borrowed */
	uint64_t total;	 /* bytes that are there, with those of before */
	bool whole;	 /* nothing more comes */
	char *buffer;
	bool no_copy_range;
};

/* Some bytes from the source to the end of the file, `max` at most: how many, 0 at the end. */
ssize_t feed_some(struct feed *f, size_t max, struct err *e);
void feed_done(struct feed *f);

/* The pipe on which a reader is told how far it may go. */
struct feed_reader {
	int progress;
	uint64_t told;
};
#define FEED_READER_INIT {.progress = -EBADF}

/* Make the pipe; *ret_read_end is the worker's. */
int feed_reader_new(struct feed_reader *r, int *ret_read_end, struct err *e);
/*
 * The latest number is enough, so a full pipe is no harm until the end; once the end is told the pipe
 * is closed.
 */
void feed_tell(const struct feed *f, struct feed_reader *r);
