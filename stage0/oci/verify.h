/*
 * Whether an OCI image in the store is still what its name says: the manifest hashes to the id, the
 * configuration and the layers to what the manifest has of them, and the trees are what the layers hold.
 */
#pragma once

#include "stage0/render/verify.h"

/* As render_verify(). */
int oci_verify(const struct gantry *g, int store, const char *id, enum verify *ret,
	       void (*report)(const char *tree_id, const char *why), struct err *e);
/*
 * The signatures that were kept when the image was fetched, by the policy and the keys of today; nobody is
 * asked. *ret_signer (owned by the caller): the first who signed. -ENOENT: none was kept.
 */
int oci_verify_signature(const struct gantry *g, int store, const char *id, char **ret_signer, struct err *e);
