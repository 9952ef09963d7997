/*
 * What is attached to an image where it lies: its signatures, as cosign and notation put them beside it in a
 * registry or an image layout. By the tag "sha256-HEX.sig", or as manifests that refer to the image (OCI 1.1).
 */
#pragma once

#include "stage0/oci/source.h"

#define ARTIFACT_COSIGN "application/vnd.dev.cosign.artifact.sig.v1+json"
#define ATTACHED_MAX 32 /* of one image */

/* "sha256-HEX" and the suffix; the digest was checked. Owned by the caller. */
char *attached_tag(const char *digest, const char *suffix);
/* Whether a name of a layout is such a tag, and so of no image. */
bool attached_is_tag(const char *name);
bool attached_is_signature(const char *artifact_type);

struct attached {
	struct attached_item {
		struct oci_document doc; /* a manifest */
		char *tag;		 /* or NULL: it refers to the image */
		char *artifact_type;	 /* of the latter */
	} v[ATTACHED_MAX];
	size_t n;
};
/* The image's signatures in the source, none where it can hold none. -E2BIG: more than are looked at. */
int attached_find(struct source *s, const char *digest, struct attached *ret, struct err *e);
void attached_done(struct attached *a);
#define _cleanup_attached_ __attribute__((cleanup(attached_done)))
