/*
 * What the operator sees of a download on standard error: a bar on a terminal, a line for each
 * event elsewhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool lines, bar;
	const char *url;	  /* borrowed; without user and password */
	uint64_t first, total;	  /* bytes that were there before; of the whole, 0: unknown */
	int64_t started, painted; /* ms */
};

/* bar: one may be drawn if there is a terminal; two at once would paint over each other. */
void progress_start(struct progress *p, const char *url, bool quiet, bool bar);
/* The body begins; `first` bytes of it are there already.  total < 0: it is not known. */
void progress_begin(struct progress *p, uint64_t first, int64_t total);
/* Cheap: it paints a few times a second. */
void progress_step(struct progress *p, uint64_t bytes);
/* The bar goes; what became of it is said in a line, on failure by whoever knows why. */
void progress_end(struct progress *p, uint64_t bytes, bool ok);
/* An event worth a line. */
void progress_note(struct progress *p, const char *text);
