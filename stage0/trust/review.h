/*
 * A key file before it is trusted: read by the verify worker, shown, and confirmed by a person.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct gantry;

struct trust_review {
	char *fpr, *armor; /* the key as it will be stored */
	char **names;	   /* its user ids */
};

/* A path, or an https URL (http only when allow_http). */
int trust_review_read(const struct gantry *g, const char *key, bool allow_http, struct trust_review *ret,
		      struct err *e);
void trust_review_done(struct trust_review *r);
/* Fingerprint and identities, on standard error. */
void trust_review_show(const struct trust_review *r, const char *key, const char *prefix);
/* Ask "yes" or "no": 1, 0; without a terminal on standard input and error: -ENOTTY with a hint. */
int trust_review_ask(struct err *e);
