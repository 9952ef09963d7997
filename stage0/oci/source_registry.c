/*
 * Images of a registry.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/oci/ref.h"
#include "stage0/oci/registry.h"
#include "stage0/oci/source.h"

#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define ACCEPT                                                                                     \
	"application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "    \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                              \
	"application/vnd.docker.distribution.manifest.v2+json"

struct source_registry {
	struct source base;
	struct registry registry;
	size_t at; /* the host that answered last */
};

static struct source_registry *registry_of(struct source *s)
{
	return (struct source_registry *) s; /* base is the first member */
}

/* --- one host after the other --- */

typedef int (*host_ask)(struct source_registry *s, struct registry_host *h, const void *what, void *ret, struct err *e);

/* The host that answered last, then the others in their order; what the last of them says is the error. */
static int from_any(struct source_registry *s, host_ask ask, const void *what, void *ret, struct err *e)
{
	struct registry *r = &s->registry;
	size_t first = s->at;
	int n = -ENOENT;

	for (size_t i = 0; i < r->n_hosts; i++) {
		size_t at = i == 0 ? first : i <= first ? i - 1 : i;
		_cleanup_err_ struct err why = ERR_INIT;

		n = ask(s, &r->hosts[at], what, ret, &why);
		if (n == 0) {
			s->at = at;
			return 0;
		}
		if (i + 1 == r->n_hosts)
			return err_move(e, &why);
		log_debug("%s", err_text(&why));
	}
	return n;
}

/* --- documents --- */

static char *without_parameters(const char *media_type)
{
	size_t n = media_type ? strcspn(media_type, "; \t") : 0;

	return n ? xstrndup(media_type, n) : NULL;
}

static int read_document(struct download *d, struct oci_document *doc, struct err *e)
{
	doc->media_type = without_parameters(d->head.content_type);
	return registry_read(d, OCI_DOCUMENT_MAX, &doc->data, &doc->len, e);
}

/* 0 with the answer when its status is 200. */
static int ask_document(struct source_registry *s, struct registry_host *h, const struct registry_question *q,
			struct download *d, struct err *e)
{
	int r = registry_ask(&s->registry, h, q, d, e);

	if (r == 0 && d->head.status != 200)
		r = registry_refused(&s->registry, h, d, e);
	return r;
}

static int check_manifest(struct source_registry *s, const char *reference, const char *told, struct oci_document *doc,
			  struct err *e)
{
	const char *want = oci_digest_check(reference) ? NULL : reference;

	/* With a tag it is the registry's own word that the bytes arrived as they were. */
	if (!want && told && !oci_digest_check(told))
		want = told;
	return oci_document_hash(s->base.g, doc, want, reference, e);
}

static int manifest_from(struct source_registry *s, struct registry_host *h, const void *what, void *ret, struct err *e)
{
	const char *reference = what;
	_cleanup_free_ char *path = xasprintf("manifests/%s", reference), *told = NULL;
	const struct registry_question q = {
		.path = path, .accept = ACCEPT, .max_bytes = OCI_DOCUMENT_MAX};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	_cleanup_oci_document_ struct oci_document doc = {0};
	int r = ask_document(s, h, &q, &d, e);

	if (r < 0)
		return r;
	told = xstrdup_null(d.head.digest);
	r = read_document(&d, &doc, e);
	if (r == 0)
		r = check_manifest(s, reference, told, &doc, e);
	if (r < 0)
		return err_ctx(e, r, "registry %s: manifest", h->site);
	*(struct oci_document *) ret = doc;
	doc = (struct oci_document) {0};
	return 0;
}

static int manifest(struct source *s, const char *reference, struct oci_document *ret, struct err *e)
{
	return from_any(registry_of(s), manifest_from, reference, ret, e);
}

/* --- blobs --- */

struct blob_part {
	const struct oci_descriptor *d;
	int64_t from;
};

/* Its length as the descriptor has it; whoever reads more or less than that is told so at once. */
static int check_length(const struct oci_descriptor *d, const struct download *x, struct err *e)
{
	if (x->head.length >= 0 && x->head.length != d->size)
		return err_set(e, EBADMSG, "it has %lld bytes, its descriptor says %lld", (long long) x->head.length,
			       (long long) d->size);
	return 0;
}

static int blob_from(struct source_registry *s, struct registry_host *h, const void *what, void *ret, struct err *e)
{
	const struct blob_part *part = what;
	_cleanup_free_ char *path = xasprintf("blobs/%s", part->d->digest);
	const struct registry_question q = {
		.path = path, .max_bytes = part->d->size ? (uint64_t) part->d->size : 1, .immutable = true,
		.from = (uint64_t) part->from};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	struct blob_stream *stream = ret;
	int r = registry_ask(&s->registry, h, &q, &d, e);

	if (r == 0 && d.head.status != 200 && !(d.head.status == 206 && part->from))
		r = registry_refused(&s->registry, h, &d, e);
	else if (r == 0 && check_length(part->d, &d, e) < 0)
		r = err_ctx(e, -EBADMSG, "registry %s", h->site);
	/* Who asks for a layer says which. */
	if (r < 0)
		return r;
	*stream = (struct blob_stream) {
		.fd = d.pipe,
		.offset = d.head.status == 206 ? part->from : 0,
		.length = d.head.length >= 0 ? d.head.length : part->d->size,
		.download = d,
		.is_download = true,
	};
	d = (struct download) DOWNLOAD_INIT;
	return 0;
}

static int blob(struct source *s, const struct oci_descriptor *d, int64_t from, struct blob_stream *ret, struct err *e)
{
	const struct blob_part part = {.d = d, .from = from};

	return from_any(registry_of(s), blob_from, &part, ret, e);
}

static int document_from(struct source_registry *s, struct registry_host *h, const void *what, void *ret, struct err *e)
{
	const struct oci_descriptor *desc = what;
	const struct blob_part part = {.d = desc};
	_cleanup_oci_document_ struct oci_document doc = {0};
	struct blob_stream b = {.fd = -EBADF, .download = DOWNLOAD_INIT};
	int r = blob_from(s, h, &part, &b, e);

	if (r < 0)
		return err_ctx(e, r, "blob %s", desc->digest);
	r = registry_read(&b.download, OCI_DOCUMENT_MAX, &doc.data, &doc.len, e);
	b.fd = -EBADF;
	if (r == 0 && (int64_t) doc.len != desc->size)
		r = err_set(e, EBADMSG, "it has %zu bytes, its descriptor says %lld", doc.len, (long long) desc->size);
	if (r < 0)
		err_ctx(e, r, "blob %s", desc->digest);
	else
		r = oci_document_hash(s->base.g, &doc, desc->digest, desc->digest, e);
	blob_stream_done(&b);
	if (r < 0)
		return err_ctx(e, r, "registry %s", h->site);
	doc.media_type = xstrdup(desc->media_type);
	*(struct oci_document *) ret = doc;
	doc = (struct oci_document) {0};
	return 0;
}

static int document(struct source *s, const struct oci_descriptor *d, struct oci_document *ret, struct err *e)
{
	if (d->size > OCI_DOCUMENT_MAX)
		return err_set(e, EFBIG, "%s: %lld bytes are too many for a document", d->digest, (long long) d->size);
	return from_any(registry_of(s), document_from, d, ret, e);
}

/* --- referrers --- */

static int no_referrers(struct source *s, struct oci_document *ret, struct err *e)
{
	static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_INDEX "\",\"manifests\":[]}";

	*ret = (struct oci_document) {
		.data = xstrdup(text), .len = strlen(text), .media_type = xstrdup(MEDIA_INDEX)};
	return oci_document_hash(s->g, ret, NULL, "referrers", e);
}

struct referrers_question {
	const char *digest, *artifact_type;
};

static int referrers_from(struct source_registry *s, struct registry_host *h, const void *what, void *ret, struct err *e)
{
	const struct referrers_question *q = what;
	_cleanup_oci_document_ struct oci_document doc = {0};
	int r = registry_referrers(&s->registry, h, q->digest, q->artifact_type, &doc, e);

	if (r == 0)
		r = oci_document_hash(s->base.g, &doc, NULL, "referrers", e);
	if (r < 0)
		return r;
	*(struct oci_document *) ret = doc;
	doc = (struct oci_document) {0};
	return 0;
}

static int referrers(struct source *s, const char *digest, const char *artifact_type, struct oci_document *ret,
		     struct err *e)
{
	const struct referrers_question question = {digest, artifact_type};
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *tag = NULL;
	int r;

	if (oci_digest_check(digest))
		return err_set(e, EINVAL, "digest %s: %s", q(digest), oci_digest_check(digest));
	r = from_any(registry_of(s), referrers_from, &question, ret, &why);
	if (r != -ENOENT)
		return r < 0 ? err_move(e, &why) : 0;
	err_done(&why);
	tag = xstrdup(digest);
	*strchr(tag, ':') = '-';
	r = from_any(registry_of(s), manifest_from, tag, ret, &why);
	if (r == -ENOENT)
		return no_referrers(s, ret, e);
	return r < 0 ? err_move(e, &why) : 0;
}

/* --- open and close --- */

static void rest(struct source *s)
{
	fetchers_done(&registry_of(s)->registry.fetchers);
}

static void close_registry(struct source *s)
{
	struct source_registry *x = registry_of(s);

	registry_close(&x->registry);
	free(s->shown);
	free(x);
}

static const struct source_ops registry_ops = {
	.transport = "docker",
	.manifest = manifest,
	.document = document,
	.blob = blob,
	.referrers = referrers,
	.rest = rest,
	.close = close_registry,
};

int source_open_registry(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret, struct err *e)
{
	struct source_registry *s = xcalloc(1, sizeof *s);
	int r = registry_open(g, ref->registry, ref->repository, REGISTRY_PULL, &s->registry, e);

	if (r < 0) {
		free(s);
		return r;
	}
	s->base = (struct source) {.ops = &registry_ops, .g = g, .store = store, .shown = oci_ref_print(ref)};
	*ret = &s->base;
	return 0;
}
