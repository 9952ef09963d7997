/*
 * An image from one place to another, byte for byte: from a registry, a layout, an archive or the store,
 * to a registry, a layout or an archive of one.
 */
#pragma once

#include "stage0/oci/ref.h"
#include "stage0/oci/source.h"

struct layout_writer;
struct registry;

/* Where to: one of the two. */
struct copy_target {
	struct registry *registry;
	const char *tag; /* its tag there; NULL: by its digest alone */
	struct layout_writer *writer;
	const char *name; /* in the layout; NULL: none */
	int spool;	  /* writer: a directory of its file system, for blobs that are on their way */
};

enum copy_flags {
	COPY_ALL = 1 << 0,	/* all images of an index, not only this machine's */
	COPY_CHECKED = 1 << 1,	/* the source's blobs have the digests that they are called by */
	COPY_QUIET = 1 << 2,
	COPY_SIGNATURES = 1 << 3, /* and what is attached to the image (attached.h) */
};

/*
 * ref: what the image is copied from, and as such is asked about in the operator's policy (trust.h) before
 * any of its blobs is read; NULL: the store, which let it in. reference: as for source_ops.manifest; mount_from: the repository, when the source is of the same registry.
 * *ret_digest (owned by the caller): what the target's name now means.
 */
int oci_copy(struct source *from, const struct oci_ref *ref, const char *reference, const char *mount_from,
	     const struct copy_target *to, unsigned flags, char **ret_digest, struct err *e);
