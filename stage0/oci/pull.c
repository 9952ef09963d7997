#include "stage0/oci/pull.h"

#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/oci/convert.h"
#include "stage0/oci/machine.h"

void oci_pull_done(struct oci_pull *p)
{
	oci_document_done(&p->top);
	oci_document_done(&p->document);
	for (size_t i = 0; i < p->n_between; i++)
		oci_document_done(&p->between[i]);
	oci_document_done(&p->config_document);
	oci_manifest_free(p->manifest);
	oci_config_free(p->config);
	*p = (struct oci_pull) {0};
}

const struct oci_document *oci_pull_document(const struct oci_pull *p)
{
	return p->document.data ? &p->document : &p->top;
}

int oci_pull_top(struct source *s, const struct oci_ref *ref, struct oci_pull *p, struct err *e)
{
	return s->ops->manifest(s, ref->digest ? ref->digest : ref->tag, &p->top, e);
}

/* The document that an index means for this machine. */
static int descend(struct source *s, struct oci_pull *p, const struct oci_document *from, struct err *e)
{
	_cleanup_oci_index_ struct oci_index *x = oci_index_parse(from->data, from->len, e);
	const struct oci_descriptor *d = x ? oci_index_choose(x, oci_machine(), e) : NULL;
	struct oci_document next = {0};
	enum oci_media kind = OCI_MEDIA_UNKNOWN;
	int r;

	if (!d)
		return x ? -ENOENT : -EINVAL;
	if (d->size > OCI_DOCUMENT_MAX)
		return err_set(e, EFBIG, "%s: %lld bytes are too many for a manifest", d->digest, (long long) d->size);
	r = s->ops->manifest(s, d->digest, &next, e);
	if (r == 0 && (int64_t) next.len != d->size)
		r = err_set(e, EBADMSG, "%s has %zu bytes, not %lld", d->digest, next.len, (long long) d->size);
	/* What the descriptor promised as well, not only what the server says (CVE-2021-41190). */
	if (r == 0)
		r = oci_document_kind(d->media_type, next.data, next.len, &kind, e);
	if (r < 0) {
		oci_document_done(&next);
		return r;
	}
	/* There is room for it: the caller counts. */
	if (p->document.data)
		p->between[p->n_between++] = p->document;
	p->document = next;
	return 0;
}

int oci_pull_manifest(struct source *s, struct oci_pull *p, struct err *e)
{
	const struct oci_document *d = &p->top;
	enum oci_media kind = OCI_MEDIA_UNKNOWN;
	int r = 0;

	for (int depth = 0; r == 0; depth++) {
		r = oci_document_kind(d->media_type, d->data, d->len, &kind, e);
		if (r < 0 || kind == OCI_MEDIA_MANIFEST)
			break;
		if (depth == OCI_PULL_NESTED_MAX)
			return err_set(e, EINVAL, "more than %d indexes inside each other", depth);
		r = descend(s, p, d, e);
		d = &p->document;
	}
	if (r < 0)
		return r;
	p->manifest = oci_manifest_parse(d->data, d->len, e);
	return p->manifest ? oci_manifest_check_image(p->manifest, e) : -EINVAL;
}

int oci_pull_config(struct source *s, struct oci_pull *p, struct err *e)
{
	size_t n;
	int r = s->ops->document(s, &p->manifest->config, &p->config_document, e);

	if (r < 0)
		return err_ctx(e, r, "image configuration");
	p->config = oci_config_parse(p->config_document.data, p->config_document.len, e);
	if (!p->config)
		return -EINVAL;
	n = strv_len(p->config->diff_ids);
	if (n != p->manifest->n_layers)
		return err_set(e, EBADMSG, "image configuration: %zu diff_ids for %zu layers", n,
			       p->manifest->n_layers);
	return 0;
}

int oci_pull_check_platform(const struct source *s, const struct oci_pull *p, struct err *e)
{
	const struct oci_platform *machine = oci_machine();
	const char *os = p->config->platform.os;
	_cleanup_free_ char *foreign = NULL;

	/* A processor may be emulated (binfmt_misc), a kernel not. */
	if (os && *os && !str_eq(os, machine->os))
		return err_set(e, EINVAL, "image configuration: os %s is not supported, only %s", q(os), machine->os);
	foreign = oci_config_foreign(p->config, machine);
	if (foreign)
		log_warning("%s: the image is for %s, and this machine is %s/%s", s->shown, q(foreign),
			    machine->os, machine->architecture);
	return 0;
}
