#include "stage0/oci/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "stage0/context.h"

#define KEY_MAX (1u << 20) /* bytes of a key file */

/* --- keys --- */

int policy_key_read(const struct requirement *rq, size_t n, struct policy_key *ret, struct err *e)
{
	int r;

	if (rq->key_data) {
		if (n)
			return -ENOENT;
		if (base64_decode(rq->key_data, &ret->data, &ret->len) < 0)
			return err_set(e, EINVAL, "keyData is not base64");
		ret->shown = xstrdup("keyData");
		return 0;
	}
	if (n >= strv_len(rq->key_paths))
		return -ENOENT;
	ret->shown = xstrdup(rq->key_paths[n]);
	r = file_read_at(AT_FDCWD, rq->key_paths[n], KEY_MAX, &ret->data, &ret->len, e);
	if (r == -ENOENT) /* that is no end of the list */
		return err_set(e, ENOKEY, "the policy's key %s is not there", q(rq->key_paths[n]));
	return r < 0 ? err_ctx(e, r, "the policy's key") : 0;
}

void policy_key_done(struct policy_key *key)
{
	free(key->data);
	free(key->shown);
	*key = (struct policy_key) {0};
}

/* --- signatures --- */

int signed_image_check(const struct signed_image *image, const struct requirement *rq, const char *payload,
		       size_t len, const char *type, struct err *e)
{
	_cleanup_payload_ struct payload said = {0};
	int r = payload_parse(payload, len, type, &said, e);

	if (r < 0)
		return r;
	if (strcmp(said.digest, image->digest))
		return err_set(e, EBADMSG, "the signature is for another manifest, %s", said.digest);
	return identity_check(&rq->identity, image->ref, said.signed_as, e);
}

enum policy_verdict policy_verdict(const struct requirement_list *requirements)
{
	enum policy_verdict verdict = POLICY_OPEN;

	if (!requirements)
		return POLICY_NO_RULE;
	for (size_t i = 0; i < requirements->n; i++) {
		enum requirement_type type = requirements->v[i].type;

		if (type == REQUIRE_REJECT)
			return POLICY_REJECT;
		if (type == REQUIRE_SIGNED_BY || type == REQUIRE_SIGSTORE)
			verdict = POLICY_SIGNED;
	}
	return verdict;
}

/* Among those that were kept; as the two functions that look where signatures lie. */
static int check_kept(const struct signed_image *image, const struct requirement *rq, char **ret_signer,
		      struct err *e)
{
	int r = err_set(e, ENOENT, "no signature of the kind that it asks for was kept (fetch the image again)");

	for (size_t i = 0; r < 0 && i < image->kept->n; i++) {
		const struct evidence_signature *s = &image->kept->v[i];

		if (s->type != rq->type || strcmp(s->digest, image->digest))
			continue;
		err_done(e);
		r = s->type == REQUIRE_SIGSTORE ?
			    sigstore_check_one(image, rq, s, ret_signer, e) :
			    simple_signature_check_one(image, rq, s->data, s->len, ret_signer, e);
		/* That one exists, whatever is wrong with it. */
		r = r == -ENOENT ? -EBADMSG : r;
	}
	return r;
}

static int check_one(const struct signed_image *image, const struct requirement *rq, char **ret_signer,
		     struct err *e)
{
	if (image->kept && (rq->type == REQUIRE_SIGNED_BY || rq->type == REQUIRE_SIGSTORE))
		return check_kept(image, rq, ret_signer, e);
	switch (rq->type) {
	case REQUIRE_SIGNED_BY:
		return simple_signature_check(image, rq, ret_signer, e);
	case REQUIRE_SIGSTORE:
		return sigstore_check(image, rq, ret_signer, e);
	case REQUIRE_NOTHING:
	case REQUIRE_REJECT: /* decided before */
		break;
	}
	return 0;
}

/* Of the image's own manifest, or of the index that leads to it. */
static int check_either(struct signed_image *image, const char *digest, const char *manifest_digest,
			const struct requirement *rq, char **ret_signer, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	image->digest = manifest_digest;
	r = check_one(image, rq, ret_signer, &why);
	if (r == -ENOENT && strcmp(digest, manifest_digest)) {
		err_done(&why);
		image->digest = digest;
		r = check_one(image, rq, ret_signer, &why);
	}
	return r < 0 ? err_move(e, &why) : 0;
}

static int check_all(struct signed_image *image, const char *digest, const char *manifest_digest,
		     const struct requirement_list *l, char **ret_signer, struct err *e)
{
	_cleanup_free_ char *first = NULL;

	for (size_t i = 0; i < l->n; i++) {
		char *signer = NULL;
		int r = check_either(image, digest, manifest_digest, &l->v[i], &signer, e);

		if (r < 0)
			return r;
		if (first)
			free(signer);
		else
			first = signer;
	}
	*ret_signer = take_ptr(first);
	return 0;
}

/* --- the rule --- */

static int no_rule(const struct policy *p, struct err *e)
{
	return err_set(e, EPERM, "no rule says that it may be used (%s%s; see --insecure-options=image)",
		       p ? "nothing in " : "there is no " POLICY_FILE, p ? p->path : "");
}

/* 0: nothing more to ask; 1: signatures are to be looked at. */
static int decide(const struct gantry *g, const struct policy *p, const struct requirement_list *l,
		  const char *scope, struct err *e)
{
	bool waived = g->insecure & INSECURE_IMAGE;

	switch (policy_verdict(l)) {
	case POLICY_NO_RULE:
		return waived ? 0 : no_rule(p, e);
	case POLICY_REJECT:
		return err_set(e, EPERM, "rejected by the rule for %s in %s", scope, p->path);
	case POLICY_OPEN:
		log_debug("image: the rule for %s in %s asks for no signature", scope, p->path);
		return 0;
	case POLICY_SIGNED:
		return !waived;
	}
	return 0;
}

/*
 * The rule for the image; of a path, for what was opened: no link or ".." leads around it, and none that is
 * changed while we look.
 */
static const struct requirement_list *rule_for(const struct policy *p, const struct oci_ref *ref,
					       const struct source *opened, char **ret_scope)
{
	struct oci_ref resolved = *ref;

	if (ref->path && opened)
		resolved.path = opened->path;
	return p ? policy_find(p, &resolved, ret_scope) : NULL;
}

int oci_policy_check(const struct gantry *g, struct source *s, const struct oci_ref *ref, const char *digest,
		     const char *manifest_digest, struct evidence *ret, struct err *e)
{
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_free_ char *scope = NULL;
	struct signed_image image = {.g = g, .source = s, .ref = ref, .found = ret};
	const struct requirement_list *l;
	int r = policy_load(g, &p, e);

	if (r < 0)
		return r;
	l = rule_for(p, ref, s, &scope);
	r = decide(g, p, l, scope, e);
	if (r == 1) {
		r = check_all(&image, digest, manifest_digest, l, &ret->signer, e);
		if (r < 0)
			return err_ctx(e, r, "the rule for %s in %s", scope, p->path);
	}
	return r;
}

int oci_policy_check_kept(const struct gantry *g, const struct oci_ref *ref, const struct evidence *kept,
			  const char *digest, const char *manifest_digest, char **ret_signer, struct err *e)
{
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_free_ char *scope = NULL;
	struct signed_image image = {.g = g, .ref = ref, .kept = kept};
	const struct requirement_list *l;
	int r = policy_load(g, &p, e);

	if (r < 0)
		return r;
	l = rule_for(p, ref, NULL, &scope);
	switch (policy_verdict(l)) {
	case POLICY_NO_RULE:
		return no_rule(p, e);
	case POLICY_REJECT:
		return err_set(e, EPERM, "rejected by the rule for %s in %s", scope, p->path);
	case POLICY_OPEN:
		return err_set(e, ENOKEY, "the rule for %s in %s asks for no signature, and has no key", scope,
			       p->path);
	case POLICY_SIGNED:
		break;
	}
	r = check_all(&image, digest, manifest_digest, l, ret_signer, e);
	return r < 0 ? err_ctx(e, r, "the rule for %s in %s", scope, p->path) : 0;
}

int oci_policy_recheck(const struct gantry *g, const struct oci_ref *ref, const char *signer, struct err *e)
{
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_free_ char *scope = NULL;
	const struct requirement_list *l;
	int r = policy_load(g, &p, e);

	if (r < 0)
		return r;
	l = rule_for(p, ref, NULL, &scope);
	r = decide(g, p, l, scope, e);
	if (r == 1 && !signer)
		return err_set(e, EPERM,
			       "it is in the store without a signature, which the rule for %s in %s asks for",
			       scope, p->path);
	return r < 0 ? r : 0;
}
