/*
 * WWW-Authenticate of a registry: how it wants to be spoken to (RFC 9110 section 11.6.1).  Foreign text,
 * read without any input or output.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct challenge {
	bool basic;
	bool bearer;			/* by a token from elsewhere: */
	char *realm, *service, *scope; /* of bearer; service and scope may be NULL */
	char *error;			/* what was wrong with the token that was sent ("insufficient_scope"), or NULL */
};

/*
 * `text`: one header, or several joined by ", ".  Of several challenges of one scheme the first counts,
 * and schemes that are not known are passed over.  -EINVAL: it is malformed, or bearer has no realm.
 */
int challenge_parse(const char *text, struct challenge *ret, struct err *e);
void challenge_done(struct challenge *c);
#define _cleanup_challenge_ __attribute__((cleanup(challenge_done)))
