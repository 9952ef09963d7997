#include "stage0/oci/save.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/oci/image.h"
#include "stage0/oci/layout.h"
#include "stage0/oci/layout_write.h"
#include "stage0/oci/pull.h"
#include "stage0/store/store.h"

static int save_layers(struct source *s, const struct oci_manifest *m, struct layout_writer *w, struct err *e)
{
	for (size_t i = 0; i < m->n_layers; i++) {
		_cleanup_blob_stream_ struct blob_stream b = {.fd = -EBADF, .download = DOWNLOAD_INIT};
		const struct oci_descriptor *d = &m->layers[i];
		bool again = false;
		int r;

		for (size_t j = 0; j < i; j++)
			again = again || str_eq(m->layers[j].digest, d->digest);
		if (again)
			continue;
		r = s->ops->blob(s, d, 0, &b, e);
		if (r == 0)
			r = layout_writer_blob(w, d->digest, b.fd, b.offset, d->size, e);
		if (r < 0)
			return err_ctx(e, r, "layer %zu", i + 1);
	}
	return 0;
}

/* What the manifest says of itself; those of OCI need not. */
static const char *media_type_of(const struct oci_manifest *m)
{
	if (m->media_type && oci_media_kind(m->media_type) == OCI_MEDIA_MANIFEST)
		return m->media_type;
	return str_starts(m->config.media_type, "application/vnd.docker.")
		       ? "application/vnd.docker.distribution.manifest.v2+json"
		       : "application/vnd.oci.image.manifest.v1+json";
}

/* The short name, and where there is one the whole, as docker and containerd write it. */
static int name_image(int store, const char *id, const char *name, struct nameval_list *l, struct err *e)
{
	struct store_info info = {0};
	int r;

	if (name) {
		nameval_set(l, ANNOTATION_REF_NAME, name);
		return 0;
	}
	r = store_info(store, id, &info, e);
	if (r == 0 && info.version) {
		_cleanup_free_ char *whole = xasprintf("%s:%s", info.name, info.version);

		nameval_set(l, ANNOTATION_REF_NAME, info.version);
		if (strchr(info.name, '/'))
			nameval_set(l, ANNOTATION_WHOLE_NAME, whole);
	}
	store_info_done(&info);
	return r;
}

static int save(struct source *s, const char *id, const char *name, struct layout_writer *w, struct err *e)
{
	_cleanup_oci_pull_ struct oci_pull p = {0};
	const struct oci_document *d;
	struct oci_descriptor top = {0};
	int r = s->ops->manifest(s, NULL, &p.top, e);

	if (r == 0)
		r = oci_pull_manifest(s, &p, e);
	if (r == 0)
		r = s->ops->document(s, &p.manifest->config, &p.config_document, e);
	if (r < 0)
		return r;
	d = oci_pull_document(&p);
	r = save_layers(s, p.manifest, w, e);
	if (r == 0)
		r = layout_writer_document(w, p.manifest->config.digest, p.config_document.data,
					   p.config_document.len, e);
	if (r == 0)
		r = layout_writer_document(w, d->digest, d->data, d->len, e);
	if (r < 0)
		return r;
	top.media_type = xstrdup(media_type_of(p.manifest));
	top.digest = xstrdup(d->digest);
	top.size = (int64_t) d->len;
	r = name_image(s->store, id, name, &top.annotations, e);
	if (r == 0)
		r = layout_writer_finish(w, &top, e);
	oci_descriptor_done(&top);
	return r;
}

int oci_save(const struct gantry *g, int store, const char *id, const char *name, struct layout_writer *w,
	     struct err *e)
{
	_cleanup_source_ struct source *s = NULL;
	/* Nobody takes a layer away meanwhile. */
	_cleanup_fd_ int use = store_lock_use(store, LOCK_SHARED, true, e);
	int r = use < 0 ? use : source_open_store(g, store, id, &s, e);

	if (r == 0)
		r = save(s, id, name, w, e);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

int oci_save_archive(const struct gantry *g, int store, const char *id, const char *name, int fd, struct err *e)
{
	_cleanup_layout_writer_ struct layout_writer w = LAYOUT_WRITER_INIT;
	int r = layout_writer_tar(fd, &w, e);

	return r < 0 ? r : oci_save(g, store, id, name, &w, e);
}
