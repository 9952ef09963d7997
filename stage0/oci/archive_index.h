/*
 * What lies where in a tar file whose parts are read in place: the answer of the jailed worker, which
 * alone reads headers.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct gantry;

struct archive_entry {
	char *name;   /* without "./" in front */
	char *target; /* of a link, symbolic or hard; NULL: a file */
	uint64_t offset, size;
};

struct archive_index {
	struct archive_entry *v; /* by name; each is there once */
	size_t n;
};

/* -EINVAL: a name that is there twice could be read in two ways. */
int archive_index_make(const struct gantry *g, int file, struct archive_index *ret, struct err *e);
/* The worker's lines; text is taken apart. */
int archive_index_parse(char *text, struct archive_index *ret, struct err *e);
void archive_index_done(struct archive_index *x);
/* The file of that name, through links inside the archive; NULL: there is none. */
const struct archive_entry *archive_index_find(const struct archive_index *x, const char *name);
