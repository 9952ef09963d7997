/*
 * Trusted keys, laid out as rkt lays them out below the system's and the administrator's directory:
 *
 *	trustedkeys/root.d/FPR             for images of any name
 *	trustedkeys/prefix.d/a.com/b/FPR   for images a.com/b, a.com/b/c, ...; never a.com/bc
 *
 * FPR is the fingerprint of the one primary key in the file, 40 lower-case hex digits.  An empty
 * file of the administrator masks the system's key of the same place and name.
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
int trust_keys_for(const struct gantry *g, const char *image_name, struct trust_keys *ret,
		   struct err *e);
void trust_keys_done(struct trust_keys *keys);
#define _cleanup_trust_keys_ __attribute__((cleanup(trust_keys_done)))

/*
 * Put a key into the administrator's store; prefix NULL: the root of all names.  Durable when it
 * returns.  *ret_path (may be NULL) is where it lies.
 */
int trust_key_store(const struct gantry *g, const char *prefix, const char *fpr, const void *data,
		    size_t len, char **ret_path, struct err *e);

/* --- keystore_list.c --- */
struct trust_entry {
	char *prefix; /* "": all images */
	char *fpr;
	bool vendor; /* from the system's directory, not the administrator's */
	bool masked; /* the administrator's empty file, or the vendor's key behind one */
};

struct trust_entries {
	struct trust_entry *v; /* by prefix and fingerprint */
	size_t n;
};

/* What is trusted for what. */
int trust_list(const struct gantry *g, struct trust_entries *ret, struct err *e);
void trust_entries_done(struct trust_entries *l);
#define _cleanup_trust_entries_ __attribute__((cleanup(trust_entries_done)))
/*
 * Trust the key for just this prefix (NULL: all images) no more: the administrator's file goes; a
 * key of the vendor's gets an empty file that masks it.  -ENOENT when there is no such key.
 */
int trust_key_remove(const struct gantry *g, const char *prefix, const char *fpr, struct err *e);
