/*
 * OpenPGP through gpgme, with an engine home of our own that nobody else has ever written to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "stage0/worker/arriving.h"

#define OPENPGP_FPR_LEN 40

struct openpgp;

/* `home` is an empty directory of ours; the engine's settings are written into it. */
struct openpgp *openpgp_new(const char *home, struct err *e);
void openpgp_free(struct openpgp *p);
/*
 * Import exactly one public primary key.  fpr (lower-case) gets its fingerprint; `armor` (may be NULL)
 * its armored export, and `names` (may be NULL) its user ids.
 */
int openpgp_import(struct openpgp *p, const char *data, size_t len, char fpr[OPENPGP_FPR_LEN + 1], char **armor,
		   char ***names, struct err *e);
/*
 * The detached signature of the image: every signature in it must be good, made by an imported key that
 * is fit to sign, with a hash of the SHA-2 family.  *signers: the primary keys' fingerprints.
 */
int openpgp_verify(struct openpgp *p, const char *sig, size_t len, struct arriving *image, char ***signers,
		   struct err *e);
/*
 * All public keys of a file, of which there may be several.
 */
int openpgp_import_ring(struct openpgp *p, const char *data, size_t len, struct err *e);
/*
 * A message that is signed as a whole (simple signing): every signature in it must be as above.  What
 * was signed is what comes back, at most `limit` bytes, and nothing else is to be believed.
 */
int openpgp_verify_message(struct openpgp *p, const char *message, size_t len, size_t limit, char ***signers,
			   char **ret, size_t *ret_len, struct err *e);
