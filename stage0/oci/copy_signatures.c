/*
 * Signatures go along with an image, byte for byte as everything else: who copies a signed image wants a
 * signed image.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/oci/attached.h"
#include "stage0/oci/copy_internal.h"
#include "stage0/oci/layout.h"
#include "stage0/oci/layout_write.h"
#include "stage0/oci/push.h"

static struct oci_descriptor descriptor_of(const struct attached_item *item, const char *media_type)
{
	return (struct oci_descriptor) {
		.media_type = xstrdup(media_type),
		.digest = xstrdup(item->doc.digest),
		.size = (int64_t) item->doc.len,
		.artifact_type = xstrdup_null(item->artifact_type),
	};
}

static int put_registry(struct copy *c, const struct attached_item *item, const struct oci_descriptor *d,
			const char *digest, struct err *e)
{
	struct registry *r = c->to->registry;
	int n = registry_push_manifest(r, item->tag ? item->tag : d->digest, d->media_type, &item->doc, e);

	return n == 0 && !item->tag ? registry_push_referrer(r, digest, d, e) : n;
}

static int put_layout(struct copy *c, const struct attached_item *item, struct oci_descriptor *d, struct err *e)
{
	int r = layout_writer_document(c->to->writer, d->digest, item->doc.data, item->doc.len, e);

	if (r < 0)
		return r;
	if (item->tag)
		nameval_set(&d->annotations, ANNOTATION_REF_NAME, item->tag);
	layout_writer_add(c->to->writer, d);
	return 0;
}

static int copy_item(struct copy *c, const struct attached_item *item, const char *digest, struct err *e)
{
	_cleanup_oci_manifest_ struct oci_manifest *m = oci_manifest_parse(item->doc.data, item->doc.len, e);
	struct oci_descriptor d;
	int r = m ? copy_parts(c, m, e) : -EINVAL;

	if (r < 0)
		return r;
	d = descriptor_of(item, copy_media_type(&item->doc, OCI_MEDIA_MANIFEST, m));
	r = c->to->registry ? put_registry(c, item, &d, digest, e) : put_layout(c, item, &d, e);
	oci_descriptor_done(&d);
	return r;
}

int copy_signatures(struct copy *c, const char *digest, struct err *e)
{
	_cleanup_attached_ struct attached a = {0};
	int r = c->flags & COPY_SIGNATURES ? attached_find(c->from, digest, &a, e) : 0;

	for (size_t i = 0; r == 0 && i < a.n; i++)
		r = copy_item(c, &a.v[i], digest, e);
	if (r < 0)
		return err_ctx(e, r, "signatures (see --remove-signatures)");
	if (a.n && !(c->flags & COPY_QUIET))
		log_info("copied %zu signature(s) of %.19s", a.n, digest);
	return 0;
}

int copy_tell_left(struct copy *c, const char *digest, struct err *e)
{
	_cleanup_attached_ struct attached a = {0};
	int r = c->flags & COPY_SIGNATURES ? attached_find(c->from, digest, &a, e) : 0;

	if (r < 0)
		return err_ctx(e, r, "signatures (see --remove-signatures)");
	if (a.n)
		log_warning("%s: the signature is of the index, and is not copied with one image of it (see "
			    "--all-platforms)", c->from->shown);
	return 0;
}
