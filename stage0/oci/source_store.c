/*
 * The store as a source: what was fetched is given on, byte for byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "stage0/oci/image.h"
#include "stage0/store/layer.h"
#include "stage0/store/store.h"

struct stored {
	struct source base;
	char *id;
};

static struct stored *stored_of(struct source *s)
{
	return (struct stored *) s; /* base is the first member */
}

int oci_image_is(int store, const char *id)
{
	_cleanup_fd_ int dir = store_image_dir(store, id, NULL);

	if (dir < 0)
		return dir;
	if (faccessat(dir, IMAGE_LAYERS, F_OK, AT_EACCESS) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

int oci_image_read(int store, const char *id, const char *file, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_fd_ int dir = store_image_dir(store, id, e);
	int r;

	if (dir < 0)
		return dir;
	r = file_read_at(dir, file, OCI_DOCUMENT_MAX, ret, ret_len, e);
	return r < 0 ? err_ctx(e, r, "image %s", id) : 0;
}

static int read_document(struct source *s, const char *file, const char *want, const char *media_type,
			 struct oci_document *ret, struct err *e)
{
	struct oci_document doc = {0};
	int r = oci_image_read(s->store, stored_of(s)->id, file, &doc.data, &doc.len, e);

	if (r == 0)
		r = oci_document_hash(s->g, &doc, want, file, e);
	if (r < 0) {
		oci_document_done(&doc);
		return r;
	}
	doc.media_type = xstrdup_null(media_type);
	*ret = doc;
	return 0;
}

static int manifest(struct source *s, const char *reference, struct oci_document *ret, struct err *e)
{
	int r = read_document(s, IMAGE_OCI_MANIFEST, reference, NULL, ret, e);

	/* It must still be what the image is named by. */
	if (r == 0 && strcmp(ret->id, stored_of(s)->id)) {
		oci_document_done(ret);
		r = err_set(e, EBADMSG, "image %s: " IMAGE_OCI_MANIFEST " was changed", stored_of(s)->id);
	}
	return r;
}

static int document(struct source *s, const struct oci_descriptor *d, struct oci_document *ret, struct err *e)
{
	return read_document(s, IMAGE_OCI_CONFIG, d->digest, d->media_type, ret, e);
}

static int blob(struct source *s, const struct oci_descriptor *d, int64_t from, struct blob_stream *ret, struct err *e)
{
	int fd = store_layer_blob(s->store, d->digest, e);

	if (fd < 0)
		return fd;
	*ret = (struct blob_stream) {.fd = fd, .offset = from, .length = d->size, .download = DOWNLOAD_INIT};
	return 0;
}

static void close_stored(struct source *s)
{
	free(stored_of(s)->id);
	free(s->shown);
	free(s);
}

static const struct source_ops store_ops = {
	.transport = "store",
	.manifest = manifest,
	.document = document,
	.blob = blob,
	.close = close_stored,
};

int source_open_store(const struct gantry *g, int store, const char *id, struct source **ret, struct err *e)
{
	struct stored *st;
	int r = oci_image_is(store, id);

	if (r < 0)
		return err_sysr(e, r, "image %s", id);
	if (!r)
		return err_set(e, ENOTSUP, "image %s is an ACI, and no OCI image", id);
	st = xcalloc(1, sizeof *st);
	st->base = (struct source) {.ops = &store_ops, .g = g, .store = store, .shown = xstrdup(id)};
	st->id = xstrdup(id);
	*ret = &st->base;
	return 0;
}
