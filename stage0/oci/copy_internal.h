/* Shared by copy.c and copy_signatures.c. */
#pragma once

#include "stage0/oci/copy.h"

struct copy {
	struct source *from;
	const char *mount_from;
	const struct copy_target *to;
	unsigned flags;
	const struct oci_ref *ref; /* which rules it falls under; NULL: none */
	const char *top_digest;	   /* of what the reference led to */
	char **done; /* digests of blobs that were looked at */
};

/* A manifest's configuration and its layers. */
int copy_parts(struct copy *c, const struct oci_manifest *m, struct err *e);
/* The media type under which the document is put. */
const char *copy_media_type(const struct oci_document *doc, enum oci_media kind, const struct oci_manifest *m);

/* copy_signatures.c: what is attached to the document of this digest, before it gets its name. */
int copy_signatures(struct copy *c, const char *digest, struct err *e);
/* An index whose image alone is copied: its signatures would be of nothing that is there. */
int copy_tell_left(struct copy *c, const char *digest, struct err *e);
