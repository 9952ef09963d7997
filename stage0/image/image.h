/*
 * Images by the words of a command line: what they mean, and how they get into the store.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "spec/nameval.h"

struct gantry;

enum image_source {
	IMAGE_SOURCE_ID,   /* sha512-...: the store only */
	IMAGE_SOURCE_FILE, /* a local archive: a path, or file:// */
	IMAGE_SOURCE_URL,  /* http:// or https://, ends in .aci */
	IMAGE_SOURCE_NAME, /* name[:version][,label=value...] */
	IMAGE_SOURCE_OCI,  /* docker://..., oci:PATH and their kin: stage0/oci/ref.h */
};

struct image_ref {
	enum image_source source;
	char *text;	/* as written */
	char *location; /* the path, the URL, the id or its beginning, the name, or the whole word */
	struct nameval_list labels; /* NAME: version and the other labels */
};

/*
 * rkt's rules: an id; a scheme; without one an absolute path or an existing regular file; a word
 * with ':' is a name; with "./" or ending in ".aci" a file; else a name.  -EINVAL "invalid image
 * string"; -ENOTSUP for what is known by name and not built: cimd:.
 */
int image_ref_parse(const char *text, struct image_ref *ret, struct err *e);
/* The same for a word that can only be a name: name[:version][,label=value...]. */
int image_ref_parse_name(const char *text, struct image_ref *ret, struct err *e);
void image_ref_done(struct image_ref *ref);
#define _cleanup_image_ref_ __attribute__((cleanup(image_ref_done)))

enum pull_policy {
	PULL_NEW,    /* the store first, then the source (run, prepare) */
	PULL_UPDATE, /* the source first (fetch) */
	PULL_NEVER,  /* the store only; a file is read all the same */
};
/* "new", "update", "never"; -EINVAL. */
int pull_policy_parse(const char *text, enum pull_policy *ret);

/*
 * The image of the store that a word of the command line means: as store_find(), and by every reference that led
 * to it.
 */
int image_find(const struct gantry *g, int store, const char *word, char **ret_id, struct err *e);

/* An image of a command line. */
struct image_word {
	const char *text;	    /* as written */
	const char *signature_file; /* --signature, or NULL: it lies beside the image (.asc) */
	char *id;		    /* the answer: the whole id */
};

/*
 * All of them fetched, verified and put into the store where they must be, some at a time, and then
 * what they depend on, depth first; trees that are put together from several images are rendered.
 * The first that fails ends the others, and nothing of what was under way stays.
 */
int image_resolve_all(const struct gantry *g, struct image_word *words, size_t n,
		      enum pull_policy policy, struct err *e);
/* The words and their ids; what they point to is the caller's. */
void image_words_free(struct image_word *words, size_t n);
/* The same for one. */
int image_resolve(const struct gantry *g, const char *text, const char *signature_file,
		  enum pull_policy policy, char **ret_id, struct err *e);
