/*
 * Into a registry: what is there already is not sent, what another repository of it has is mounted, and
 * the rest is one request for each blob.  A registry takes only what has the digest that it is called by.
 */
#pragma once

#include "stage0/oci/registry.h"
#include "stage0/oci/source.h"

/*
 * A blob of the source; *ret_sent tells whether it had to be sent.  mount_from: a repository of the same
 * registry that has it, or NULL.
 */
int registry_push_blob(struct registry *r, struct source *from, const struct oci_descriptor *d, const char *mount_from,
		       bool *ret_sent, struct err *e);
/* One that is in memory, under the digest that it was asked for by. */
int registry_push_document(struct registry *r, const struct oci_document *doc, const char *digest, struct err *e);
/*
 * A manifest was pushed that refers to `subject`: a registry that keeps no list of such itself gets it in the one
 * that stands in for it.
 */
int registry_push_referrer(struct registry *r, const char *subject, const struct oci_descriptor *d, struct err *e);
/* A manifest or an index under a tag, or under its digest; what it names must be there. */
int registry_push_manifest(struct registry *r, const char *reference, const char *media_type,
			   const struct oci_document *doc, struct err *e);
