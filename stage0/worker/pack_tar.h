/*
 * Writing a tar archive: ustar headers, with a pax header before an entry that does not fit in one
 * (POSIX.1-2017, pax), as tar.h reads them.
 *
 * The same entries give the same bytes, whoever packs them where: no names of users, no times of
 * packing, nothing but what the entry holds.
 */
#pragma once

#include "stage0/worker/tar.h"

/* Takes the archive's bytes in their order. */
typedef int (*tar_sink)(void *arg, const void *data, size_t len, struct err *e);

struct tar_writer {
	tar_sink sink;
	void *arg;
	uint64_t left;	  /* of the entry's stored data */
	uint64_t padding; /* behind it */
};

/*
 * The header of the next entry; its path without a slash at the end.  For a sparse file (is_sparse)
 * the pieces say which data will come.
 */
int tar_write_entry(struct tar_writer *w, const struct tar_entry *entry, struct err *e);
/*
 * Data of a file, `stored` bytes altogether: what is not sparse has its size, else the sum of the
 * pieces.
 */
int tar_write_data(struct tar_writer *w, const void *data, size_t len, struct err *e);
/* The end mark. */
int tar_write_end(struct tar_writer *w, struct err *e);
