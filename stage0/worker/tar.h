/*
 * Reading a tar archive that arrives in pieces: POSIX ustar and pax (POSIX.1-2017, pax), GNU's long
 * names and sparse files, and the old form without a magic.
 *
 * Strict: where two readers could see two different archives (a name given twice, data behind a link,
 * a number that is none, junk behind the end) it is an error.  Names are bytes, passed on as they
 * stand: a general archive library normalises or refuses what is not UTF-8 in its preferred form.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"

#define TAR_BLOCK 512
#define TAR_EXTENSION_MAX (1u << 20) /* one pax header or long name */
#define TAR_SPARSE_MAX (1u << 17)    /* pieces of one sparse file */
#define TAR_XATTRS_MAX 256

enum tar_type { TAR_FILE, TAR_DIR, TAR_SYMLINK, TAR_HARDLINK, TAR_CHR, TAR_BLK, TAR_FIFO };

struct tar_xattr {
	char *name;
	uint8_t *value;
	size_t len;
};

struct tar_piece {
	uint64_t offset, len;
};

struct tar_entry {
	enum tar_type type;
	char *path, *link; /* as they stand in the archive; link NULL unless a link */
	uint32_t mode;	   /* permission bits, 07777 */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	uint32_t major, minor;
	uint64_t size; /* of the file; more than what is stored when it is sparse */
	struct tar_xattr *xattrs;
	size_t n_xattrs;
	/* Private to the reader: what is stored, and where it belongs. */
	uint64_t stored;
	struct tar_piece *pieces;
	size_t n_pieces;
	bool is_sparse;
};

/* The next bytes of the archive, valid until the next call: 1, 0 at the end, -errno. */
typedef int (*tar_source)(void *arg, const uint8_t **data, size_t *len, struct err *e);

struct tar;

struct tar *tar_new(tar_source source, void *arg);
void tar_free(struct tar *t);
/*
 * Take what the writers of layers do and every reader of theirs accepts: an archive that ends
 * behind an entry or after one block of zeros, and ACLs beside the mode, which are left out.
 */
void tar_set_lenient(struct tar *t);
/* A way past bytes that are not wanted, which the source then does not give. */
typedef int (*tar_seek)(void *arg, uint64_t n, struct err *e);
void tar_set_seek(struct tar *t, tar_seek seek);
/* Bytes that the source has given and that are not used yet. */
size_t tar_unused(const struct tar *t);
/*
 * The next entry, valid until the next call: 1; 0 at the end of the archive, when everything behind
 * the end mark was seen and is zero.  Data that was not read is skipped.  Errors name the entry.
 */
int tar_next(struct tar *t, const struct tar_entry **ret, struct err *e);
/* The next bytes of the entry's data and where they belong in the file: 1, 0 at the end of the data. */
int tar_data(struct tar *t, const uint8_t **data, size_t *len, uint64_t *offset, struct err *e);
