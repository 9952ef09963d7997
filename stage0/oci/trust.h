/*
 * Whether an OCI image may be used: the policy (policy.h) and the signatures that it asks for.
 */
#pragma once

#include "stage0/oci/evidence.h"
#include "stage0/oci/payload.h"
#include "stage0/oci/policy.h"
#include "stage0/oci/source.h"

/* What can be said without looking at a signature. */
enum policy_verdict {
	POLICY_NO_RULE, /* nobody's rule: refused, unless the operator waives signatures */
	POLICY_OPEN,	/* a rule lets it in as it is */
	POLICY_SIGNED,	/* a rule asks for signatures */
	POLICY_REJECT,	/* a rule keeps it out */
};
enum policy_verdict policy_verdict(const struct requirement_list *requirements);

/*
 * Before the image's layers are fetched: 0 when it may be used; `ret` (the caller's, to be done with)
 * has who signed it and what with, or nothing.  `manifest_digest` is of the image's manifest; `digest` of
 * what the reference led to, an index or the same manifest: a signature of either covers the image.
 *
 * --insecure-options=image waives signatures, and lets in what is in nobody's rule; a rule that
 * rejects holds all the same.  -EPERM, -ENOKEY, -EBADMSG with a message that names the image, the rule
 * and what is missing.
 */
int oci_policy_check(const struct gantry *g, struct source *s, const struct oci_ref *ref, const char *digest,
		     const char *manifest_digest, struct evidence *ret, struct err *e);
/* The same for an image of a registry that is in the store, signed by `signer` (NULL: nobody) when it was fetched. */
int oci_policy_recheck(const struct gantry *g, const struct oci_ref *ref, const char *signer, struct err *e);
/*
 * The signatures that were kept, by the rule and the keys of today and nothing else: no place is asked, and
 * nothing is waived.  -ENOKEY: the rule asks for no signature, so that there is no key to check one with.
 */
int oci_policy_check_kept(const struct gantry *g, const struct oci_ref *ref, const struct evidence *kept,
			  const char *digest, const char *manifest_digest, char **ret_signer, struct err *e);

/* One requirement, and what signatures must be about. */
struct signed_image {
	const struct gantry *g;
	struct source *source; /* where signatures may lie; NULL with `kept` */
	const struct oci_ref *ref;
	const char *digest;
	struct evidence *found;	     /* the good one goes there, or NULL */
	const struct evidence *kept; /* or these are all that there is */
};

/*
 * Whether one good signature satisfies the requirement: 0 with the signer; -ENOENT when there is none
 * at all, otherwise why the last one is not good.
 */
int simple_signature_check(const struct signed_image *image, const struct requirement *rq, char **ret_signer,
			   struct err *e);
int sigstore_check(const struct signed_image *image, const struct requirement *rq, char **ret_signer,
		   struct err *e);
/* A single one; it is added to what was found when it is good. */
int simple_signature_check_one(const struct signed_image *image, const struct requirement *rq, const char *message,
			       size_t len, char **ret_signer, struct err *e);
int sigstore_check_one(const struct signed_image *image, const struct requirement *rq,
		       const struct evidence_signature *signature, char **ret_signer, struct err *e);
/* What was signed, once that is sure: it must be about this image. */
int signed_image_check(const struct signed_image *image, const struct requirement *rq, const char *payload,
		       size_t len, const char *type, struct err *e);

/* The n-th key of a requirement, as it is in its file; -ENOENT behind the last. */
struct policy_key {
	char *data, *shown;
	size_t len;
};
int policy_key_read(const struct requirement *rq, size_t n, struct policy_key *ret, struct err *e);
void policy_key_done(struct policy_key *key);
#define _cleanup_policy_key_ __attribute__((cleanup(policy_key_done)))
