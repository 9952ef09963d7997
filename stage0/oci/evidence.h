/*
 * What proved that an image may be used: the signatures that the policy asked for, kept beside the image
 * so that they can be checked again without the place that they came from.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "stage0/oci/policy.h"

#define IMAGE_SIGNATURES "signatures" /* in cas/image/ID */
#define EVIDENCE_MAX (16u << 20)      /* bytes of that file */
#define EVIDENCE_SIGNATURES_MAX 32
#define EVIDENCE_INDEXES_MAX 9 /* what pull.c follows: one, and eight inside each other */

struct evidence_signature {
	enum requirement_type type; /* REQUIRE_SIGNED_BY or REQUIRE_SIGSTORE */
	char *digest;		    /* of what was signed: the image's manifest or an index that leads to it */
	char *data;		    /* an OpenPGP message; of cosign: the payload */
	size_t len;
	char *signature; /* of cosign: base64 as it came */
};

struct evidence_index {
	char *data;
	size_t len;
};

struct evidence {
	char *signer;	 /* who signed, for people: not in the file */
	char *reference; /* what the signatures were accepted for: "docker://..." with the registry, "oci:..." */
	char *path;	 /* what a path really was, or NULL */
	struct evidence_signature *v;
	size_t n;
	/* When an index was signed: that one, then those between it and the manifest. */
	struct evidence_index *indexes;
	size_t n_indexes;
};
void evidence_done(struct evidence *ev);
#define _cleanup_evidence_ __attribute__((cleanup(evidence_done)))

/* One more, a copy; the same one is kept once.  -E2BIG. */
int evidence_add(struct evidence *ev, const struct evidence_signature *s, struct err *e);
void evidence_add_index(struct evidence *ev, const char *data, size_t len);
/* -EFBIG: more than is kept. */
int evidence_print(const struct evidence *ev, char **ret, struct err *e);
int evidence_parse(const char *text, size_t len, struct evidence *ret, struct err *e);
