/*
 * What the workers fetch and discover share.  They are two programs because the reader of pages
 * brings libraries along that take longer to load than all the rest.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct fetch_kind {
	/* NULL: `out` gets the file's bytes.  Else what this makes of the whole file. */
	int (*read_page)(const char *page, size_t len, struct strbuf *ret, struct err *e);
	size_t page_max;
};

int fetch_run(const struct fetch_kind *kind, struct err *e);
