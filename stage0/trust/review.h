/*
 * A key file before it is trusted: read by the verify worker, shown, and confirmed by a person.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage0/context.h"

struct trust_review {
	char *fpr, *armor; /* the key as it will be stored */
	char **names;	   /* its user ids */
	bool https;	   /* it came from a host that proved itself, all the way */
};

/*
 * The context in which keys and the pages that name them are downloaded: what the operator waived
 * for images is not waived for keys, only what he waived for keys (--insecure-options=pubkey,
 * `allow_http`).
 */
struct gantry trust_transport(const struct gantry *g, bool allow_http);

/* A path, or an https URL (http only when allow_http). */
int trust_review_read(const struct gantry *g, const char *key, bool allow_http,
		      struct trust_review *ret, struct err *e);
void trust_review_done(struct trust_review *r);
/* Fingerprint and identities, on standard error. */
void trust_review_show(const struct trust_review *r, const char *key, const char *prefix);
/* Ask "yes" or "no": 1, 0; without a terminal on standard input and error: -ENOTTY with hints. */
int trust_review_ask(struct err *e);
