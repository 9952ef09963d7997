#include "stage0/oci/attached.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static const char *const signature_types[] = {
	ARTIFACT_COSIGN,
	"application/vnd.dev.sigstore.bundle.v0.3+json",
	"application/vnd.cncf.notary.signature",
};

bool attached_is_signature(const char *artifact_type)
{
	for (size_t i = 0; i < ELEMENTSOF(signature_types); i++)
		if (str_eq(artifact_type, signature_types[i]))
			return true;
	return false;
}

char *attached_tag(const char *digest, const char *suffix)
{
	char *tag = xasprintf("%s%s", digest, suffix);

	*strchr(tag, ':') = '-';
	return tag;
}

bool attached_is_tag(const char *name)
{
	static const char *const suffixes[] = {"", ".sig", ".att", ".sbom"};
	_cleanup_free_ char *digest = xstrdup(name);
	char *dash = strchr(digest, '-'), *dot = strchr(digest, '.');

	for (size_t i = 0; dash && i < ELEMENTSOF(suffixes); i++) {
		if (strcmp(dot ? dot : "", suffixes[i]))
			continue;
		*dash = ':';
		if (dot)
			*dot = '\0';
		return !oci_digest_check(digest);
	}
	return false;
}

void attached_done(struct attached *a)
{
	for (size_t i = 0; i < a->n; i++) {
		oci_document_done(&a->v[i].doc);
		free(a->v[i].tag);
		free(a->v[i].artifact_type);
	}
	a->n = 0;
}

static int by_tag(struct source *s, const char *digest, struct attached *ret, struct err *e)
{
	_cleanup_free_ char *tag = attached_tag(digest, ".sig");
	_cleanup_err_ struct err why = ERR_INIT;
	struct oci_document doc = {0};
	int r = s->ops->manifest(s, tag, &doc, &why);

	if (r < 0)
		return r == -ENOENT ? 0 : err_move(e, &why);
	ret->v[ret->n++] = (struct attached_item) {.doc = doc, .tag = take_ptr(tag)};
	return 0;
}

static int by_referrers(struct source *s, const char *digest, struct attached *ret, struct err *e)
{
	_cleanup_oci_document_ struct oci_document list = {0};
	_cleanup_oci_index_ struct oci_index *x = NULL;
	int r = s->ops->referrers(s, digest, NULL, &list, e);

	if (r < 0)
		return r;
	x = oci_index_parse(list.data, list.len, e);
	if (!x)
		return -EINVAL;
	for (size_t i = 0; i < x->n_manifests; i++) {
		const struct oci_descriptor *d = &x->manifests[i];
		struct oci_document doc = {0};

		if (!attached_is_signature(d->artifact_type))
			continue;
		if (ret->n == ATTACHED_MAX)
			return err_set(e, E2BIG, "more than %d signatures", ATTACHED_MAX);
		r = s->ops->manifest(s, d->digest, &doc, e);
		if (r < 0)
			return r;
		ret->v[ret->n++] =
			(struct attached_item) {.doc = doc, .artifact_type = xstrdup(d->artifact_type)};
	}
	return 0;
}

int attached_find(struct source *s, const char *digest, struct attached *ret, struct err *e)
{
	int r = 0;

	ret->n = 0;
	if (!s->ops->referrers)
		return 0;
	r = by_tag(s, digest, ret, e);
	if (r == 0)
		r = by_referrers(s, digest, ret, e);
	return r < 0 ? err_ctx(e, r, "signatures of %s", digest) : 0;
}
