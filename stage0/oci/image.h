/*
 * OCI images that are in the store.
 */
#pragma once

#include "stage0/oci/source.h"

#define IMAGE_OCI_MANIFEST "oci-manifest" /* in cas/image/ID: the bytes that the id is the hash of */
#define IMAGE_OCI_CONFIG "oci-config"	  /* and the configuration's */

/* Whether it is one: 1, 0 (an ACI), -errno. */
int oci_image_is(int store, const char *id);
/* The bytes of either file. */
int oci_image_read(int store, const char *id, const char *file, char **ret, size_t *ret_len, struct err *e);
/*
 * The store as a source of the image `id`: its manifest (of the reference NULL or its digest), its
 * configuration, its layers.  -ENOTSUP: it is an ACI.
 */
int source_open_store(const struct gantry *g, int store, const char *id, struct source **ret, struct err *e);
