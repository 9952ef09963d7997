/*
 * Digests of documents, computed by the jailed worker: the main program has no cryptography.
 */
#pragma once

#include "base/err.h"
#include "spec/image_id.h"

struct gantry;

#define OCI_SHA256_LEN (7 + 64) /* "sha256:" and the digits */

/*
 * Of these bytes: "sha256:..." as it stands in manifests, and "sha512-..." as it names an image;
 * either may be NULL.
 */
int oci_digest_of(const struct gantry *g, const char *data, size_t len, char ret_sha256[OCI_SHA256_LEN + 1],
		  char ret_sha512_id[IMAGE_ID_LEN + 1], struct err *e);
/* The same of a file as a whole. */
int oci_digest_of_file(const struct gantry *g, int fd, char ret_sha256[OCI_SHA256_LEN + 1],
		       char ret_sha512_id[IMAGE_ID_LEN + 1], struct err *e);
/*
 * That the bytes have the digest that was asked for, of either kind: `what` names them in the error.
 */
int oci_digest_verify(const struct gantry *g, const char *data, size_t len, const char *digest, const char *what,
		      struct err *e);
