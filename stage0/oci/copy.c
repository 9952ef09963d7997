#include "stage0/oci/copy_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/cli/output.h"
#include "stage0/context.h"
#include "stage0/oci/layout.h"
#include "stage0/oci/layout_write.h"
#include "stage0/oci/machine.h"
#include "stage0/oci/push.h"
#include "stage0/oci/trust.h"

#define NESTED_MAX 8 /* indexes of indexes */
#define PIECE (256u << 10)

/* --- blobs --- */

static int spool_stream(struct blob_stream *b, const struct oci_descriptor *d, int file, struct err *e)
{
	_cleanup_free_ char *buf = xmalloc(PIECE);
	int64_t all = 0;

	if (!b->is_download)
		return output_copy_range(b->fd, b->offset, (uint64_t) d->size, file) < 0 ? err_sys(e, "copy") : 0;
	for (;;) {
		ssize_t n = read(b->fd, buf, PIECE);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			break;
		all += n;
		r = write_all(file, buf, (size_t) n);
		if (r < 0)
			return err_sysr(e, r, "write");
	}
	if (all != d->size)
		return err_set(e, EBADMSG, "it has %lld bytes, its descriptor says %lld", (long long) all, (long long) d->size);
	return download_finish(&b->download, e);
}

static int check_file(const struct copy *c, const struct oci_descriptor *d, int file, struct err *e)
{
	char sha256[OCI_SHA256_LEN + 1], sha512[IMAGE_ID_LEN + 1];
	const char *have = sha256;
	int r = oci_digest_of_file(c->from->g, file, sha256, sha512, e);

	if (r < 0)
		return r;
	if (str_starts(d->digest, "sha512:")) {
		sha512[strlen("sha512")] = ':';
		have = sha512;
	}
	return strcmp(have, d->digest) ? err_set(e, EBADMSG, "its digest is %s", have) : 0;
}

/* A file of its own, checked, is what gets into a layout: nobody changes it meanwhile. */
static int write_blob(const struct copy *c, const struct oci_descriptor *d, bool *ret_sent, struct err *e)
{
	_cleanup_blob_stream_ struct blob_stream b = {.fd = -EBADF, .download = DOWNLOAD_INIT};
	_cleanup_fd_ int file = -EBADF;
	int r = layout_writer_has(c->to->writer, d->digest, d->size);

	*ret_sent = r == 0;
	if (r == 1)
		return 0;
	r = c->from->ops->blob(c->from, d, 0, &b, e);
	if (r == 0 && (c->flags & COPY_CHECKED) && !b.is_download)
		return layout_writer_blob(c->to->writer, d->digest, b.fd, b.offset, d->size, e);
	if (r < 0)
		return r;
	file = openat(c->to->spool, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file < 0)
		return err_sys(e, "temporary file");
	r = spool_stream(&b, d, file, e);
	if (r == 0)
		r = check_file(c, d, file, e);
	return r < 0 ? r : layout_writer_blob(c->to->writer, d->digest, file, 0, d->size, e);
}

static int copy_blob(struct copy *c, const struct oci_descriptor *d, struct err *e)
{
	bool sent = false;
	int r;

	if (strv_has(c->done, d->digest))
		return 0;
	if (c->to->registry) {
		r = registry_push_blob(c->to->registry, c->from, d, c->mount_from, &sent, e);
	} else {
		r = write_blob(c, d, &sent, e);
		if (r < 0)
			err_ctx(e, r, "blob %s", d->digest);
	}
	if (r < 0)
		return r;
	strv_add(&c->done, d->digest);
	if (!(c->flags & COPY_QUIET))
		log_info("%s %.19s (%lld bytes)", sent ? "copied" : "already there:", d->digest, (long long) d->size);
	return 0;
}

/* The configuration: of an image it is a document, and some sources have it as nothing else. */
static int copy_config(struct copy *c, const struct oci_descriptor *d, struct err *e)
{
	_cleanup_oci_document_ struct oci_document doc = {0};
	int r;

	if (d->size > OCI_DOCUMENT_MAX)
		return copy_blob(c, d, e);
	if (strv_has(c->done, d->digest))
		return 0;
	r = c->from->ops->document(c->from, d, &doc, e);
	if (r == 0)
		r = c->to->registry ? registry_push_document(c->to->registry, &doc, d->digest, e) :
				      layout_writer_document(c->to->writer, d->digest, doc.data, doc.len, e);
	if (r == 0)
		strv_add(&c->done, d->digest);
	return r;
}

int copy_parts(struct copy *c, const struct oci_manifest *m, struct err *e)
{
	int r = copy_config(c, &m->config, e);

	for (size_t i = 0; r == 0 && i < m->n_layers; i++)
		r = copy_blob(c, &m->layers[i], e);
	return r;
}

/* --- manifests --- */

const char *copy_media_type(const struct oci_document *doc, enum oci_media kind, const struct oci_manifest *m)
{
	const char *own = m ? m->media_type : NULL;

	if (own && oci_media_kind(own) == kind)
		return own;
	if (doc->media_type && oci_media_kind(doc->media_type) == kind)
		return doc->media_type;
	if (kind == OCI_MEDIA_INDEX)
		return "application/vnd.oci.image.index.v1+json";
	return m && str_starts(m->config.media_type, "application/vnd.docker.") ?
		       "application/vnd.docker.distribution.manifest.v2+json" :
		       "application/vnd.oci.image.manifest.v1+json";
}

/* name: under which it is the image; NULL: a part of one. */
static int put(struct copy *c, const struct oci_document *doc, const char *media_type, bool top, struct err *e)
{
	struct oci_descriptor d = {0};
	int r;

	if (c->to->registry)
		return registry_push_manifest(c->to->registry, top && c->to->tag ? c->to->tag : doc->digest, media_type, doc, e);
	r = layout_writer_document(c->to->writer, doc->digest, doc->data, doc->len, e);
	if (r < 0 || !top)
		return r;
	d = (struct oci_descriptor) {
		.media_type = xstrdup(media_type), .digest = xstrdup(doc->digest), .size = (int64_t) doc->len};
	if (c->to->name)
		nameval_set(&d.annotations, ANNOTATION_REF_NAME, c->to->name);
	r = layout_writer_finish(c->to->writer, &d, e);
	oci_descriptor_done(&d);
	return r;
}

/* Each image of an index has its own signatures, or those of the index. */
static int check_policy(const struct copy *c, const struct oci_document *doc, struct err *e)
{
	_cleanup_evidence_ struct evidence ev = {0};

	if (!c->ref)
		return 0;
	return oci_policy_check(c->from->g, c->from, c->ref, c->top_digest, doc->digest, &ev, e);
}

static int copy_manifest(struct copy *c, const struct oci_document *doc, bool top, struct err *e)
{
	_cleanup_oci_manifest_ struct oci_manifest *m = oci_manifest_parse(doc->data, doc->len, e);
	int r = m ? check_policy(c, doc, e) : -EINVAL;

	if (r == 0)
		r = copy_parts(c, m, e);
	if (r == 0)
		r = copy_signatures(c, doc->digest, e);
	return r < 0 ? r : put(c, doc, copy_media_type(doc, OCI_MEDIA_MANIFEST, m), top, e);
}

static int copy_document(struct copy *c, const struct oci_document *doc, bool top, int depth, char **ret_digest,
			 struct err *e);

static int copy_descriptor(struct copy *c, const struct oci_descriptor *d, bool top, int depth, char **ret_digest,
			   struct err *e)
{
	_cleanup_oci_document_ struct oci_document doc = {0};
	int r = c->from->ops->manifest(c->from, d->digest, &doc, e);

	if (r == 0 && (int64_t) doc.len != d->size)
		r = err_set(e, EBADMSG, "%s has %zu bytes, not %lld", d->digest, doc.len, (long long) d->size);
	if (r < 0)
		return r;
	/* The descriptor's word is a digest's; the server's is not. */
	free(doc.media_type);
	doc.media_type = xstrdup(d->media_type);
	return copy_document(c, &doc, top, depth + 1, ret_digest, e);
}

static int copy_index(struct copy *c, const struct oci_document *doc, bool top, int depth, char **ret_digest,
		      struct err *e)
{
	_cleanup_oci_index_ struct oci_index *x = oci_index_parse(doc->data, doc->len, e);
	const struct oci_descriptor *d;
	int r = x ? 0 : -EINVAL;

	if (r == 0 && depth == NESTED_MAX)
		r = err_set(e, EINVAL, "more than %d indexes inside each other", NESTED_MAX);
	if (r < 0)
		return r;
	if (!(c->flags & COPY_ALL)) {
		d = oci_index_choose(x, oci_machine(), e);
		r = d ? copy_tell_left(c, doc->digest, e) : -ENOENT;
		return r < 0 ? r : copy_descriptor(c, d, top, depth, ret_digest, e);
	}
	for (size_t i = 0; r == 0 && i < x->n_manifests; i++)
		r = copy_descriptor(c, &x->manifests[i], false, depth, NULL, e);
	if (r == 0)
		r = copy_signatures(c, doc->digest, e);
	if (r == 0)
		r = put(c, doc, copy_media_type(doc, OCI_MEDIA_INDEX, NULL), top, e);
	if (r == 0 && ret_digest)
		*ret_digest = xstrdup(doc->digest);
	return r;
}

static int copy_document(struct copy *c, const struct oci_document *doc, bool top, int depth, char **ret_digest,
			 struct err *e)
{
	enum oci_media kind = OCI_MEDIA_UNKNOWN;
	int r = oci_document_kind(doc->media_type, doc->data, doc->len, &kind, e);

	if (r < 0)
		return r;
	if (kind == OCI_MEDIA_INDEX)
		return copy_index(c, doc, top, depth, ret_digest, e);
	r = copy_manifest(c, doc, top, e);
	if (r == 0 && ret_digest)
		*ret_digest = xstrdup(doc->digest);
	return r;
}

int oci_copy(struct source *from, const struct oci_ref *ref, const char *reference, const char *mount_from,
	     const struct copy_target *to, unsigned flags, char **ret_digest, struct err *e)
{
	struct copy c = {.from = from, .ref = ref, .mount_from = mount_from, .to = to, .flags = flags};
	_cleanup_oci_document_ struct oci_document doc = {0};
	int r = from->ops->manifest(from, reference, &doc, e);

	c.top_digest = doc.digest;
	if (r == 0)
		r = copy_document(&c, &doc, true, 0, ret_digest, e);
	strv_free(c.done);
	return r;
}
