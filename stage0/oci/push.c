#include "stage0/oci/push.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define ACTIONS "pull,push"
#define ANSWER_MAX (64u << 10)
#define OCTETS "application/octet-stream"
#define PIECE_LARGE (32u << 20)
#define PIECE_SMALL 1000000 /* nginx takes 1 MiB where nobody said more */

static struct registry_host *host_of(struct registry *r)
{
	return &r->hosts[r->n_hosts - 1]; /* REGISTRY_PUSH: the only one */
}

/* --- is it there --- */

/* 1: it is; 0: it is not. */
static int has(struct registry *r, const char *path, struct err *e)
{
	const struct registry_question q = {
		.method = "HEAD", .path = path, .actions = ACTIONS, .max_bytes = INT64_MAX};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	int n = registry_ask(r, host_of(r), &q, &d, e);
	long status;

	if (n < 0)
		return n;
	status = d.head.status;
	if (status != 200 && status != 404)
		return registry_refused(r, host_of(r), &d, e);
	registry_pass_over(&d);
	return status == 200;
}

/* --- a blob --- */

static uint64_t offset_of(const struct blob_stream *b)
{
	return b->is_download ? 0 : (uint64_t) b->offset;
}

/* 1: it was mounted, 0 with the place where it is to be sent. */
static int begin_upload(struct registry *r, const struct oci_descriptor *d, const char *mount_from, char **ret_url,
			struct err *e)
{
	_cleanup_free_ char *mount = mount_from ? xasprintf("blobs/uploads/?mount=%s&from=%s", d->digest, mount_from) : NULL;
	const struct registry_question q = {
		.method = "POST", .path = mount ? mount : "blobs/uploads/", .actions = ACTIONS,
		.mount_from = mount_from, .max_bytes = ANSWER_MAX};
	_cleanup_download_ struct download x = DOWNLOAD_INIT;
	int n = registry_ask(r, host_of(r), &q, &x, e);

	if (n < 0)
		return n;
	if (mount && x.head.status == 201) {
		registry_pass_over(&x);
		return 1;
	}
	if (x.head.status != 202)
		return registry_refused(r, host_of(r), &x, e);
	if (!x.head.location)
		return err_set(e, EPROTO, "registry %s: it does not say where to", host_of(r)->site);
	*ret_url = xstrdup(x.head.location);
	registry_pass_over(&x);
	return 0;
}

/* -EFBIG: it takes none so large at once. */
static int upload_refused(struct registry *r, struct download *x, struct err *e)
{
	bool large = x->head.status == 413;
	int n = registry_refused(r, host_of(r), x, e);

	return large ? -EFBIG : n;
}

/* -EFBIG as above. */
static int send_blob(struct registry *r, const char *url, const struct oci_descriptor *d, const struct blob_stream *b,
		     struct err *e)
{
	_cleanup_free_ char *whole = xasprintf("%s%cdigest=%s", url, strchr(url, '?') ? '&' : '?', d->digest);
	const struct registry_question q = {
		.method = "PUT", .url = whole, .actions = ACTIONS, .content_type = OCTETS, .body = b ? b->fd : -EBADF,
		.body_offset = b ? offset_of(b) : 0, .body_length = b ? (uint64_t) d->size : 0,
		.max_bytes = ANSWER_MAX};
	_cleanup_download_ struct download x = DOWNLOAD_INIT;
	int n = registry_ask(r, host_of(r), &q, &x, e);

	if (n < 0)
		return n;
	if (x.head.status != 201 && x.head.status != 204)
		return upload_refused(r, &x, e);
	registry_pass_over(&x);
	return 0;
}

/* One piece; *url becomes the place of the next one. -EFBIG as above. */
static int send_piece(struct registry *r, char **url, const struct blob_stream *b, uint64_t at, uint64_t len,
		      struct err *e)
{
	/* distribution specification: no "bytes", no total */
	_cleanup_free_ char *range = xasprintf("%llu-%llu", (unsigned long long) at, (unsigned long long) (at + len - 1));
	const struct registry_question q = {
		.method = "PATCH", .url = *url, .actions = ACTIONS, .content_type = OCTETS, .content_range = range,
		.body = b->fd, .body_offset = offset_of(b) + at, .body_length = len, .max_bytes = ANSWER_MAX};
	_cleanup_download_ struct download x = DOWNLOAD_INIT;
	int n = registry_ask(r, host_of(r), &q, &x, e);

	if (n < 0)
		return n;
	if (x.head.status != 202)
		return upload_refused(r, &x, e);
	if (x.head.location) {
		free(*url);
		*url = xstrdup(x.head.location);
	}
	registry_pass_over(&x);
	return 0;
}

static int send_pieces(struct registry *r, const char *url, const struct oci_descriptor *d, const struct blob_stream *b,
		       uint64_t piece, struct err *e)
{
	_cleanup_free_ char *at_url = xstrdup(url);
	uint64_t size = (uint64_t) d->size;
	int n = 0;

	for (uint64_t at = 0; n == 0 && at < size; at += piece)
		n = send_piece(r, &at_url, b, at, size - at < piece ? size - at : piece, e);
	return n < 0 ? n : send_blob(r, at_url, d, NULL, e);
}

/* piece: 0 for the whole in one request. A pipe goes to the other worker as it is: its bytes do not pass through here. */
static int send_stream(struct registry *r, struct source *from, const struct oci_descriptor *d, const char *url,
		       uint64_t piece, struct err *e)
{
	_cleanup_blob_stream_ struct blob_stream b = {.fd = -EBADF, .download = DOWNLOAD_INIT};
	int n = from->ops->blob(from, d, 0, &b, e);

	if (n == 0)
		n = piece ? send_pieces(r, url, d, &b, piece, e) : send_blob(r, url, d, &b, e);
	if (n == 0 && b.is_download)
		n = download_finish(&b.download, e);
	return n;
}

/* In one request; in pieces only where that is more than the registry, or what stands before it, takes. */
static int send_somehow(struct registry *r, struct source *from, const struct oci_descriptor *d, char **url,
			struct err *e)
{
	static const uint64_t pieces[] = {0, PIECE_LARGE, PIECE_SMALL};
	int n = -EFBIG;

	for (size_t i = 0; i < ELEMENTSOF(pieces) && n == -EFBIG; i++) {
		if (pieces[i] && (uint64_t) d->size <= pieces[i])
			continue;
		if (i > 0) { /* what was sent to that place may be half of it */
			free(take_ptr(*url));
			n = begin_upload(r, d, NULL, url, e);
			if (n < 0)
				return n;
		}
		n = send_stream(r, from, d, *url, pieces[i], e);
	}
	return n;
}

static int push_blob(struct registry *r, struct source *from, const struct oci_descriptor *d, const char *mount_from,
		     bool *ret_sent, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("blobs/%s", d->digest), *url = NULL;
	int n = has(r, path, e);

	*ret_sent = false;
	if (n != 0)
		return n < 0 ? n : 0;
	n = begin_upload(r, d, mount_from, &url, e);
	if (n != 0)
		return n < 0 ? n : 0;
	*ret_sent = true;
	return send_somehow(r, from, d, &url, e);
}

int registry_push_blob(struct registry *r, struct source *from, const struct oci_descriptor *d, const char *mount_from,
		       bool *ret_sent, struct err *e)
{
	int n = push_blob(r, from, d, mount_from, ret_sent, e);

	return n < 0 ? err_ctx(e, n, "blob %s", d->digest) : 0;
}

int registry_push_document(struct registry *r, const struct oci_document *doc, const char *digest, struct err *e)
{
	const struct oci_descriptor d = {.digest = (char *) digest, .size = (int64_t) doc->len};
	_cleanup_free_ char *path = xasprintf("blobs/%s", digest), *url = NULL;
	_cleanup_fd_ int fd = fd_sealed("document", doc->data, doc->len, e);
	int n = fd < 0 ? fd : has(r, path, e);

	if (n == 1)
		return 0;
	if (n == 0)
		n = begin_upload(r, &d, NULL, &url, e);
	if (n == 0)
		n = send_blob(r, url, &d, &(struct blob_stream) {.fd = fd}, e);
	return n < 0 ? err_ctx(e, n, "blob %s", digest) : 0;
}

/* --- a manifest --- */

int registry_push_manifest(struct registry *r, const char *reference, const char *media_type,
			   const struct oci_document *doc, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("manifests/%s", reference);
	_cleanup_fd_ int fd = fd_sealed("manifest", doc->data, doc->len, e);
	const struct registry_question q = {
		.method = "PUT", .path = path, .actions = ACTIONS, .content_type = media_type, .body = fd,
		.body_length = doc->len, .max_bytes = ANSWER_MAX};
	_cleanup_download_ struct download x = DOWNLOAD_INIT;
	int n = fd < 0 ? fd : registry_ask(r, host_of(r), &q, &x, e);

	if (n == 0 && x.head.status != 201)
		n = registry_refused(r, host_of(r), &x, e);
	/* It kept other bytes than it was given. */
	if (n == 0 && x.head.digest && !oci_digest_check(x.head.digest) && str_starts(x.head.digest, "sha256:") &&
	    strcmp(x.head.digest, doc->digest))
		n = err_set(e, EBADMSG, "registry %s: it stored %s for it", host_of(r)->site, x.head.digest);
	if (n < 0)
		return err_ctx(e, n, "manifest %s", doc->digest);
	registry_pass_over(&x);
	return 0;
}
