/*
 * Whole lines out of a stream of bytes: a fixed buffer that is filled by read(2) and emptied by
 * batches, each `prefix` + line + line feed.  A line that does not fit a piece is cut into several.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LINES_ROOM 4096

struct lines {
	size_t start, end; /* what is not yet taken is buf[start..end) */
	bool closed;	   /* nothing follows: a last line needs no line feed of its own */
	size_t shown;	   /* bytes of the buffer that it stands for */
	char *buf;	   /* LINES_ROOM bytes */
};

/* Where the next bytes go, and how many fit; 0: take some first. */
char *lines_space(struct lines *l, size_t *room);
/* That many bytes were put there. */
void lines_added(struct lines *l, size_t n);
static inline size_t lines_left(const struct lines *l)
{
	return l->end - l->start;
}
/*
 * Fill `out` with as many whole pieces as fit; returns its length, 0: no whole line is there.
 * Nothing is taken until lines_commit(), so a batch that could not be written is shown again. The
 * prefix must be shorter than half of out_size.
 */
size_t lines_batch(struct lines *l, const char *prefix, size_t prefix_len, char *out,
		   size_t out_size);
void lines_commit(struct lines *l);
/* Take n bytes as they are. */
void lines_take(struct lines *l, size_t n);
