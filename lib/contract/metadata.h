/*
 * The metadata service (appc specification, "App Container Metadata Service"), as far as several
 * programs have to agree on it.
 *
 * That a pod is registered stands in its directory, in the file POD_MDS: "TOKEN PORT\n", mode 0600,
 * written by stage0 before the pod runs.  A stage1 makes the apps' AC_METADATA_URL of it and of an
 * address at which the pod reaches the host.  The token is as good as a password: whoever knows it
 * can sign in the name of the pod, so it is on no command line (proc(5): everybody reads those),
 * but for a stage1 of rkt's interface versions, which knows no other way.
 */
#pragma once

#include "base/err.h"

#define METADATA_PORT 18112   /* rkt's */
#define METADATA_TOKEN_LEN 32 /* hexadecimal digits: 128 bits */
#define METADATA_VARIABLE "AC_METADATA_URL"

struct metadata_note {
	char token[METADATA_TOKEN_LEN + 1];
	unsigned port;
};

/* -ENOENT: not registered. */
int metadata_note_read(int pod, struct metadata_note *ret, struct err *e);
int metadata_note_write(int pod, const struct metadata_note *note, struct err *e);
/* Lower case hexadecimal digits, as many as it takes. */
int metadata_token_check(const char *token, struct err *e);
/* "http://HOST:PORT/TOKEN" with an address of either family; owned by the caller. */
char *metadata_url(const struct metadata_note *note, const char *host);
