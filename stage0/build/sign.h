/*
 * Signing with the operator's own keyring.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct gantry;

struct sign_request {
	char *key, *homedir; /* NULL: the default key, the default keyring */
	char *output;	     /* NULL: FILE.asc */
	bool overwrite;
};

/*
 * A detached, armored signature of the file. *ret_signer: the key's fingerprint, owned by the
 * caller.
 */
int sign_file(const struct gantry *g, const struct sign_request *rq, const char *path,
	      char **ret_signer, struct err *e);
