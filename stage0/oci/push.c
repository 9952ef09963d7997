#include "stage0/oci/push.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define ACTIONS "pull,push"
#define ANSWER_MAX (64u << 10)
#define OCTETS "application/octet-stream"

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

static int send_blob(struct registry *r, const char *url, const struct oci_descriptor *d, int fd, int64_t offset,
		     struct err *e)
{
	_cleanup_free_ char *whole = xasprintf("%s%cdigest=%s", url, strchr(url, '?') ? '&' : '?', d->digest);
	const struct registry_question q = {
		.method = "PUT", .url = whole, .actions = ACTIONS, .content_type = OCTETS, .body = fd,
		.body_offset = (uint64_t) offset, .body_length = (uint64_t) d->size, .max_bytes = ANSWER_MAX};
	_cleanup_download_ struct download x = DOWNLOAD_INIT;
	int n = registry_ask(r, host_of(r), &q, &x, e);

	if (n < 0)
		return n;
	if (x.head.status != 201 && x.head.status != 204)
		return registry_refused(r, host_of(r), &x, e);
	registry_pass_over(&x);
	return 0;
}

static int send_stream(struct registry *r, struct source *from, const struct oci_descriptor *d, const char *url,
		       struct err *e)
{
	struct blob_stream b = {.fd = -EBADF, .download = DOWNLOAD_INIT};
	int n = from->ops->blob(from, d, 0, &b, e), n2;

	if (n < 0)
		return n;
	/* A pipe goes to the other worker as it is: the bytes of it do not pass through here. */
	n = send_blob(r, url, d, b.fd, b.is_download ? 0 : b.offset, e);
	if (b.is_download && n == 0) {
		_cleanup_err_ struct err why = ERR_INIT;

		n2 = download_finish(&b.download, &why);
		if (n2 < 0)
			n = err_move(e, &why);
	}
	blob_stream_done(&b);
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
	return send_stream(r, from, d, url, e);
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
		n = send_blob(r, url, &d, fd, 0, e);
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
