/*
 * The operator's rules for Docker and OCI images: which may be used, and who must have signed them.
 *
 * One file, policy.json, of the user's, the administrator's or the vendor's configuration directory:
 * the first that exists holds alone.  The format is that of containers-policy.json(5): `default`
 * and, for each transport, scopes from "host/name:tag" up to "*.domain" and "", the most particular
 * one first; each has a list of requirements, which must all be met.  Without a `default` an image
 * that no scope covers is in nobody's rule.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "stage0/oci/ref.h"

struct gantry;

#define POLICY_FILE "policy.json"
#define POLICY_FILE_MAX (1u << 20)

enum requirement_type {
	REQUIRE_NOTHING,    /* insecureAcceptAnything */
	REQUIRE_REJECT,	    /* reject */
	REQUIRE_SIGNED_BY,  /* signedBy: OpenPGP, simple signing */
	REQUIRE_SIGSTORE,   /* sigstoreSigned: a public key, as cosign signs */
};

/* For which name a signature must be: signedIdentity. */
enum identity_type {
	IDENTITY_REPO_DIGEST_OR_EXACT, /* the same name; with a tag, the same tag */
	IDENTITY_EXACT,		       /* the same name and tag, and there is one */
	IDENTITY_REPOSITORY,	       /* the same name, whatever the tag */
	IDENTITY_EXACT_REFERENCE,      /* what the rule says, whatever the image is called here */
	IDENTITY_EXACT_REPOSITORY,
	IDENTITY_REMAP,		       /* the same name with another beginning */
};

struct identity_rule {
	enum identity_type type;
	char *reference;	      /* EXACT_REFERENCE, EXACT_REPOSITORY */
	char *prefix, *signed_prefix; /* REMAP */
};

struct requirement {
	enum requirement_type type;
	char **key_paths; /* files, absolute */
	char *key_data;	  /* or the key itself, base64 */
	/*
	 * SIGNED_BY: where signatures lie, file:///DIR or http(s)://; gantry's own member, since the
	 * others have it in files of another kind.
	 */
	char *lookaside;
	struct identity_rule identity;
};

struct requirement_list {
	struct requirement *v;
	size_t n;
};

struct policy_scope {
	char *transport, *scope;
	struct requirement_list requirements;
};

struct policy {
	char *path; /* of the file, for messages */
	bool has_default;
	struct requirement_list otherwise; /* default */
	struct policy_scope *scopes;
	size_t n_scopes;
};

/* NULL with a message ("transports.docker[...]: ..."); what cannot be honoured is refused by name. */
struct policy *policy_parse(const char *text, size_t len, struct err *e);
void policy_free(struct policy *p);
DEFINE_CLEANUP(struct policy *, policy_free)
#define _cleanup_policy_ __attribute__((cleanup(cleanup_policy_free)))
/* The file that holds; *ret is NULL when there is none. */
int policy_load(const struct gantry *g, struct policy **ret, struct err *e);

/*
 * What is required of the image: NULL when no rule covers it.  *ret_scope (owned by the caller) says
 * which rule it is, for messages: "docker docker.io/library", "default".
 */
const struct requirement_list *policy_find(const struct policy *p, const struct oci_ref *ref, char **ret_scope);

/*
 * Whether a signature that names `signed_as` is one for the image; -EBADMSG says for what it is.
 */
int identity_check(const struct identity_rule *rule, const struct oci_ref *ref, const char *signed_as,
		   struct err *e);
