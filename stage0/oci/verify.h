/*
 * Whether an OCI image in the store is still what its name says: the manifest hashes to the id, the
 * configuration and the layers to what the manifest has of them, and the trees are what the layers hold.
 */
#pragma once

#include "stage0/render/verify.h"

/* As render_verify(). */
int oci_verify(const struct gantry *g, int store, const char *id, enum verify *ret,
	       void (*report)(const char *tree_id, const char *why), struct err *e);
