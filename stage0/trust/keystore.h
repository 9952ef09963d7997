/*
 * Trusted keys, laid out as rkt lays them out below the system's and the administrator's directory:
 *
 *	trustedkeys/root.d/FPR             for images of any name
 *	trustedkeys/prefix.d/a.com/b/FPR   for images a.com/b, a.com/b/c, ...; never a.com/bc
 *
 * FPR is the fingerprint of the one primary key in the file, 40 lower-case hex digits.  An empty file
 * of the administrator masks the system's key of the same place and name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct gantry;

#define TRUST_KEY_MAX (1u << 20) /* bytes of one key file */
#define TRUST_FPR_LEN 40

struct trust_key {
	char *path; /* for messages */
	char *fpr;  /* from the file name */
	char *data;
	size_t len;
};

struct trust_keys {
	struct trust_key *v;
	size_t n;
};

/* 40 lower-case hex digits. */
bool trust_is_fingerprint(const char *s);
/* Whether the administrator said "not this key" (an empty file) for just this prefix. */
bool trust_key_is_masked(const struct gantry *g, const char *prefix, const char *fpr);
/* The keys that may sign an image of this name. None is no error. */
int trust_keys_for(const struct gantry *g, const char *image_name, struct trust_keys *ret, struct err *e);
void trust_keys_done(struct trust_keys *keys);
#define _cleanup_trust_keys_ __attribute__((cleanup(trust_keys_done)))

/*
 * Put a key into the administrator's store; prefix NULL: the root of all names.  Durable when it
 * returns.  *ret_path (may be NULL) is where it lies.
 */
int trust_key_store(const struct gantry *g, const char *prefix, const char *fpr, const void *data, size_t len,
		    char **ret_path, struct err *e);
