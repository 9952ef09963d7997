/*
 * Writing an image layout: into a directory, new or one that is a layout already, or into a tar.
 *
 * What is written has its digest already: whoever calls has checked that.  In a directory each blob gets
 * its name when it is whole, and the image its name in index.json last; a new directory appears when all
 * of it is there.
 */
#pragma once

#include "base/err.h"
#include "spec/oci.h"

struct layout_writer {
	int tar;	  /* or */
	int dir;	  /* the layout */
	int parent;	  /* of a new one, */
	char *temp, *name; /* in which it has the former name until it gets the latter */
	struct cJSON *more; /* entries of index.json besides the image; NULL: none */
};
#define LAYOUT_WRITER_INIT {.tar = -EBADF, .dir = -EBADF, .parent = -EBADF}

/* -ENOTEMPTY: a directory that is there and no layout. */
int layout_writer_directory(const char *path, struct layout_writer *ret, struct err *e);
/* A tar into this descriptor, which stays the caller's. */
int layout_writer_tar(int fd, struct layout_writer *ret, struct err *e);

/* 1 when the directory has a blob of this digest and size. */
int layout_writer_has(const struct layout_writer *w, const char *digest, int64_t size);
int layout_writer_document(struct layout_writer *w, const char *digest, const char *data, size_t len, struct err *e);
/* `size` bytes of a file from `offset` on. */
int layout_writer_blob(struct layout_writer *w, const char *digest, int fd, int64_t offset, int64_t size,
		       struct err *e);
/* What is attached to the image, a manifest that was written: its entry in index.json, behind the image's. */
void layout_writer_add(struct layout_writer *w, const struct oci_descriptor *d);
/*
 * The image is `top`; its annotations tell its names (layout.h), and who had the name of them before has
 * it no more. Ends the writing.
 */
int layout_writer_finish(struct layout_writer *w, const struct oci_descriptor *top, struct err *e);
/* What is not finished goes. */
void layout_writer_done(struct layout_writer *w);
#define _cleanup_layout_writer_ __attribute__((cleanup(layout_writer_done)))
