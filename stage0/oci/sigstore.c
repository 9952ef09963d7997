/*
 * Signatures as cosign makes them: an image manifest under the tag "sha256-HEX.sig" of the same
 * repository, or one that refers to the image (OCI 1.1 referrers); each of its layers is a payload, and
 * the signature an annotation of it.  They are checked offline, by a given public key, in a worker.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/oci/attached.h"
#include "stage0/oci/trust.h"

#define MEDIA_PAYLOAD "application/vnd.dev.cosign.simplesigning.v1+json"
#define ANNOTATION "dev.cosignproject.cosign/signature"
#define SIGNATURES_MAX 32 /* of one image */
#define VERIFY_MS 30000

/* The search for a good one. */
struct search {
	const struct signed_image *image;
	const struct requirement *rq;
	struct err last; /* why the last one was none */
	unsigned n;
	char *signer;
};

static int verify(const struct gantry *g, const struct policy_key *key, const struct evidence_signature *s,
		  struct err *e)
{
	_cleanup_fd_ int key_fd = fd_sealed("key", key->data, key->len, e), payload_fd = -EBADF,
			 signature_fd = -EBADF;
	_cleanup_worker_ struct worker w = WORKER_INIT;
	_cleanup_record_ struct record rec = RECORD_INIT;
	int r;

	payload_fd = key_fd < 0 ? key_fd : fd_sealed("payload", s->data, s->len, e);
	signature_fd = payload_fd < 0 ? payload_fd : fd_sealed("signature", s->signature, strlen(s->signature), e);
	if (signature_fd < 0)
		return signature_fd;

	const struct fd_name names[] = {{"key", key_fd}, {"payload", payload_fd}, {"signature", signature_fd}};

	r = worker_start(g, "sigstore", NULL, names, ELEMENTSOF(names), &w, e);
	return r == 0 ? worker_finish(&w, VERIFY_MS, &rec, e) : r;
}

/* By any of the rule's keys. */
static int verify_any(const struct signed_image *image, const struct requirement *rq,
		      const struct evidence_signature *s, char **ret_signer, struct err *e)
{
	int r = -ENOKEY;

	for (size_t i = 0;; i++) {
		_cleanup_policy_key_ struct policy_key key = {0};
		_cleanup_err_ struct err why = ERR_INIT;
		int r2 = policy_key_read(rq, i, &key, &why);

		if (r2 == -ENOENT)
			return r;
		if (r2 == 0)
			r2 = verify(image->g, &key, s, &why);
		if (r2 == 0) {
			*ret_signer = xasprintf("sigstore:%s", key.shown);
			return 0;
		}
		err_done(e);
		if (key.data)
			(void) err_ctx(&why, r2, "key %s", key.shown);
		r = err_move(e, &why);
	}
}

int sigstore_check_one(const struct signed_image *image, const struct requirement *rq,
		       const struct evidence_signature *s, char **ret_signer, struct err *e)
{
	_cleanup_free_ char *signer = NULL;
	int r = verify_any(image, rq, s, &signer, e);

	if (r == 0)
		r = signed_image_check(image, rq, s->data, s->len, PAYLOAD_COSIGN, e);
	if (r == 0 && image->found)
		r = evidence_add(image->found, s, e);
	if (r == 0)
		*ret_signer = take_ptr(signer);
	return r;
}

static int check_layer(struct search *s, const struct oci_descriptor *layer, struct err *e)
{
	const char *signature = nameval_get(&layer->annotations, ANNOTATION);
	_cleanup_oci_document_ struct oci_document payload = {0};
	int r;

	if (strcmp(layer->media_type, MEDIA_PAYLOAD) || !signature)
		return err_set(e, EBADMSG, "no signature of cosign");
	if (layer->size > PAYLOAD_MAX)
		return err_set(e, EFBIG, "what was signed is larger than %u bytes", PAYLOAD_MAX);
	r = s->image->source->ops->document(s->image->source, layer, &payload, e);
	if (r == 0) {
		const struct evidence_signature one = {
			.type = REQUIRE_SIGSTORE, .digest = (char *) s->image->digest, .data = payload.data,
			.len = payload.len, .signature = (char *) signature};

		r = sigstore_check_one(s->image, s->rq, &one, &s->signer, e);
	}
	return r;
}

/* 1: one of them is good. */
static int check_manifest(struct search *s, const struct oci_document *doc)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_oci_manifest_ struct oci_manifest *m = oci_manifest_parse(doc->data, doc->len, &why);

	if (!m) {
		err_done(&s->last);
		return err_move(&s->last, &why);
	}
	for (size_t i = 0; i < m->n_layers && s->n < SIGNATURES_MAX; i++, s->n++) {
		int r = check_layer(s, &m->layers[i], &why);

		if (r == 0)
			return 1;
		err_done(&s->last);
		(void) err_ctx(&why, r, "signature %u in %s", s->n + 1, doc->digest);
		(void) err_move(&s->last, &why);
	}
	return 0;
}

/* 1, 0: none that is good, -errno: that could not be told. */
static int by_tag(struct search *s, struct err *e)
{
	struct source *source = s->image->source;
	_cleanup_oci_document_ struct oci_document doc = {0};
	_cleanup_free_ char *tag = attached_tag(s->image->digest, ".sig");
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	/* What `docker save` writes has one image, whatever it is asked for. */
	if (!source->ops->referrers)
		return 0;
	r = source->ops->manifest(source, tag, &doc, &why);
	if (r < 0)
		return r == -ENOENT ? 0 : err_move(e, &why);
	r = check_manifest(s, &doc);
	return r == 1;
}

static int by_referrers(struct search *s, struct err *e)
{
	struct source *source = s->image->source;
	_cleanup_oci_document_ struct oci_document doc = {0};
	_cleanup_oci_index_ struct oci_index *index = NULL;
	_cleanup_err_ struct err why = ERR_INIT;
	int r = source->ops->referrers ? source->ops->referrers(source, s->image->digest, ARTIFACT_COSIGN, &doc,
							&why) : -ENOENT;

	if (r < 0)
		return r == -ENOENT ? 0 : err_move(e, &why);
	index = oci_index_parse(doc.data, doc.len, e);
	if (!index)
		return -EINVAL;
	for (size_t i = 0; i < index->n_manifests && s->n < SIGNATURES_MAX; i++) {
		const struct oci_descriptor *d = &index->manifests[i];
		_cleanup_oci_document_ struct oci_document one = {0};

		if (!str_eq(d->artifact_type, ARTIFACT_COSIGN))
			continue;
		r = source->ops->manifest(source, d->digest, &one, e);
		if (r < 0)
			return r;
		if (check_manifest(s, &one) == 1)
			return 1;
	}
	return 0;
}

int sigstore_check(const struct signed_image *image, const struct requirement *rq, char **ret_signer,
		   struct err *e)
{
	struct search s = {.image = image, .rq = rq};
	int r = by_tag(&s, e);

	if (r == 0)
		r = by_referrers(&s, e);
	if (r == 1)
		*ret_signer = take_ptr(s.signer);
	else if (r == 0 && s.last.code)
		r = err_move(e, &s.last);
	else if (r == 0)
		r = err_set(e, ENOENT, "no sigstore signature of %s in %s", image->digest, image->source->shown);
	free(s.signer);
	err_done(&s.last);
	return r == 1 ? 0 : r;
}
