/*
 * An image layout in a directory.  Whoever wrote it is not trusted: everything is opened beneath the
 * directory, and what is no regular file is not read.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/str.h"
#include "stage0/oci/layout.h"
#include "stage0/oci/ref.h"

struct layout {
	struct source base;
	int dir;
	struct oci_document index;
};

static struct layout *layout_of(struct source *s)
{
	return (struct layout *) s; /* base is the first member */
}

/* Links inside are fine, some tools share blobs by them; none leads out. */
static int open_file(const struct layout *l, const char *path, int64_t *ret_size, struct err *e)
{
	/* O_NONBLOCK: a FIFO does not keep us waiting before we see what it is. */
	_cleanup_fd_ int fd = path_open_beneath(l->dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, PATH_IN_ROOT);
	struct stat st;

	if (fd < 0)
		return err_sysr(e, fd, "%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is no regular file", path);
	*ret_size = st.st_size;
	return take_fd(fd);
}

static int read_file(const void *layout, const char *path, size_t limit, char **ret, size_t *ret_len, struct err *e)
{
	int64_t size;
	_cleanup_fd_ int fd = open_file(layout, path, &size, e);
	int r;

	if (fd < 0)
		return fd;
	r = read_all(fd, limit, ret, ret_len);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "%s is larger than %zu bytes", path, limit);
	return r < 0 ? err_sysr(e, r, "%s", path) : 0;
}

static int open_blob(const struct layout *l, const struct oci_descriptor *d, struct err *e)
{
	_cleanup_free_ char *path = layout_blob_path(d->digest);
	int64_t size;
	_cleanup_fd_ int fd = open_file(l, path, &size, e);

	if (fd < 0)
		return fd;
	if (size != d->size)
		return err_set(e, EBADMSG, "%s has %lld bytes, not %lld", path, (long long) size, (long long) d->size);
	return take_fd(fd);
}

static int document(struct source *s, const struct oci_descriptor *d, struct oci_document *ret, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	struct oci_document doc = {0};
	int r;

	if (d->size > OCI_DOCUMENT_MAX)
		return err_set(e, EFBIG, "%s: %lld bytes are too many for a document", d->digest, (long long) d->size);
	fd = open_blob(layout_of(s), d, e);
	if (fd < 0)
		return fd;
	r = read_all(fd, OCI_DOCUMENT_MAX, &doc.data, &doc.len);
	if (r < 0)
		err_sysr(e, r, "%s", d->digest);
	else
		r = oci_document_hash(s->g, &doc, d->digest, d->digest, e);
	if (r < 0) {
		oci_document_done(&doc);
		return r;
	}
	doc.media_type = xstrdup(d->media_type);
	*ret = doc;
	return 0;
}

/* By digest: of whatever size, which nobody told. */
static int manifest_by_digest(struct source *s, const char *digest, struct oci_document *ret, struct err *e)
{
	_cleanup_free_ char *path = layout_blob_path(digest);
	struct oci_document doc = {0};
	int r = read_file(layout_of(s), path, OCI_DOCUMENT_MAX, &doc.data, &doc.len, e);

	if (r == 0)
		r = oci_document_hash(s->g, &doc, digest, digest, e);
	if (r < 0)
		oci_document_done(&doc);
	else
		*ret = doc;
	return r;
}

static int manifest(struct source *s, const char *reference, struct oci_document *ret, struct err *e)
{
	const struct oci_document *index = &layout_of(s)->index;
	_cleanup_oci_index_ struct oci_index *x = NULL;
	const struct oci_descriptor *d;
	int r;

	if (reference && !oci_digest_check(reference))
		return manifest_by_digest(s, reference, ret, e);
	x = oci_index_parse(index->data, index->len, e);
	if (!x)
		return err_ctx(e, -EINVAL, LAYOUT_INDEX);
	r = layout_find(x, reference, &d, e);
	if (r < 0)
		return err_ctx(e, r, "image layout %s", q(s->shown));
	if (r == 0 && !s->named)
		s->named = xstrdup_null(layout_name(d));
	if (r == 0)
		return document(s, d, ret, e);
	*ret = (struct oci_document) {.data = xmemdup(index->data, index->len + 1), .len = index->len};
	return oci_document_hash(s->g, ret, NULL, LAYOUT_INDEX, e);
}

static int blob(struct source *s, const struct oci_descriptor *d, int64_t from, struct blob_stream *ret, struct err *e)
{
	int fd = open_blob(layout_of(s), d, e);

	if (fd < 0)
		return fd;
	*ret = (struct blob_stream) {.fd = fd, .offset = from, .length = d->size, .download = DOWNLOAD_INIT};
	return 0;
}

static int referrers(struct source *s, const char *digest, const char *artifact_type, struct oci_document *ret,
		     struct err *e)
{
	return layout_referrers(s, &layout_of(s)->index, digest, artifact_type, ret, e);
}

static void close_layout(struct source *s)
{
	struct layout *l = layout_of(s);

	(void) fd_close(l->dir);
	oci_document_done(&l->index);
	free(s->shown);
	free(s->named);
	free(s->path);
	free(l);
}

static const struct source_ops layout_ops = {
	.transport = "oci",
	.manifest = manifest,
	.document = document,
	.blob = blob,
	.referrers = referrers,
	.close = close_layout,
};

int source_open_layout(const struct gantry *g, int store, const struct oci_ref *ref, struct source **ret, struct err *e)
{
	struct layout *l = xcalloc(1, sizeof *l);
	int r = 0;

	l->base = (struct source) {.ops = &layout_ops, .g = g, .store = store, .shown = oci_ref_print(ref)};
	l->dir = open(ref->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->dir < 0)
		r = err_sys(e, "open");
	if (r == 0)
		r = source_note_path(&l->base, l->dir, e);
	if (r == 0)
		r = layout_read(l, read_file, &l->index, e);
	if (r < 0) {
		err_ctx(e, r, "image layout %s", q(ref->path));
		close_layout(&l->base);
		return r;
	}
	*ret = &l->base;
	return 0;
}
