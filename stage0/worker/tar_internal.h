/*
 * Private to the tar reader.
 */
#pragma once

#include "stage0/worker/tar.h"

/* What headers before an entry said of it. */
struct tar_pax {
	bool any, lenient; /* the latter is the reader's, and stays */
	char *path, *link, *sparse_name;
	bool has_size, has_uid, has_gid, has_mtime, has_major, has_minor;
	uint64_t size;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	uint32_t major, minor;
	struct tar_xattr *xattrs;
	size_t n_xattrs;
	/* GNU.sparse.*: versions 0.0 and 0.1 have the map here, 1.0 at the head of the data */
	bool sparse, sparse_map_in_data, has_sparse_size;
	uint64_t sparse_major, sparse_minor, sparse_size, sparse_offset;
	bool has_sparse_offset;
	struct tar_piece *pieces;
	size_t n_pieces;
};

/* --- header.c --- */
enum tar_kind { TAR_KIND_ENTRY, TAR_KIND_PAX, TAR_KIND_PAX_GLOBAL, TAR_KIND_LONG_NAME, TAR_KIND_LONG_LINK };

struct tar_header {
	enum tar_kind kind;
	struct tar_entry entry; /* of an extension only `stored` counts */
	bool old_sparse;	/* GNU 'S': the map begins in this block */
};

bool tar_block_is_zero(const uint8_t block[TAR_BLOCK]);
/* Decode a block; ret->entry is then to be given to tar_entry_done(). */
int tar_header_parse(const uint8_t block[TAR_BLOCK], struct tar_header *ret, struct err *e);
/* Octal, or GNU's base 256; at least `negative` allows less than 0. */
int tar_number(const uint8_t *field, size_t len, bool negative, int64_t *ret);
void tar_entry_done(struct tar_entry *entry);
void tar_xattrs_done(struct tar_xattr **v, size_t *n);

/* --- pax.c --- */
/* Read the records of an extended header; a global one may say nothing that matters to us. */
int tar_pax_parse(const char *text, size_t len, bool global, struct tar_pax *pax, struct err *e);
void tar_pax_done(struct tar_pax *pax);
/* Put what was said over what the header says; takes the strings. */
int tar_pax_apply(struct tar_pax *pax, struct tar_entry *entry, struct err *e);
/* Append an attribute (takes over name and value); the second of one name is an error, except that `weak` gives way. */
int tar_xattr_add(struct tar_xattr **v, size_t *n, char *name, uint8_t *value, size_t len, bool weak, struct err *e);

/* --- sparse.c --- */
int tar_piece_add(struct tar_piece **v, size_t *n, uint64_t offset, uint64_t len, struct err *e);
/* The 0.1 form "offset,len,offset,len". */
int tar_sparse_list(const char *text, struct tar_piece **v, size_t *n, struct err *e);
/* Four or 21 pairs of a GNU 'S' header or its continuation; an empty pair ends them. */
int tar_sparse_pairs(const uint8_t *p, size_t pairs, struct tar_piece **v, size_t *n, struct err *e);
/* In order, without overlap, inside the file, and as much as is stored. */
int tar_sparse_check(const struct tar_entry *entry, struct err *e);
