/*
 * What a signature of simple signing says (containers-signature(5); cosign's has the same form):
 * that the manifest with this digest is what is called so.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define PAYLOAD_MAX (64u << 10)
#define PAYLOAD_OPENPGP "atomic container signature"
#define PAYLOAD_COSIGN "cosign container image signature"

struct payload {
	char *digest;	 /* of the manifest, checked by oci_digest_check() */
	char *signed_as; /* a reference, not empty */
};

/*
 * The bytes must have been verified before.  `type` is what they must say they are.  A member of
 * `critical` that is not known is refused: it could change what the signature means.
 */
int payload_parse(const char *data, size_t len, const char *type, struct payload *ret, struct err *e);
void payload_done(struct payload *p);
#define _cleanup_payload_ __attribute__((cleanup(payload_done)))
