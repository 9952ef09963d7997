/*
 * Workers that fetch: URL -> bytes on a pipe.
 *
 * Descriptors: request, head, out, result.  `request` is a record (fetch_request.h): what is in it
 * may be secret, and argv is not.  `head` gets a record of its own as soon as it is known what the
 * answer is, and is closed then; `out` gets the body; `result` says how it ended.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "stage0/worker/fetch.h"
#include "stage0/worker/fetch_request.h"
#include "stage0/worker/http.h"
#include "stage0/worker/jail.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define CA_MAX (8u << 20)

struct fetch {
	int out, head;
	const struct fetch_kind *kind;
	struct strbuf page; /* kind->read_page: the page, to be read when it is whole */
};

/* --- answers --- */

static int on_head(void *arg, const struct http_head *head, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct fetch *f = arg;
	int r;

	record_begin(&sb, FETCH_HEAD_VERSION);
	record_addf(&sb, "status", "%ld", head->status);
	record_add(&sb, "url", head->url);
	record_add(&sb, "https", head->https ? "1" : "0");
	record_addf(&sb, "redirects", "%u", head->redirects);
	record_addf(&sb, "fresh", "%lld", (long long) head->fresh);
	if (head->length >= 0)
		record_addf(&sb, "length", "%lld", (long long) head->length);
	if (head->etag)
		record_add(&sb, "etag", head->etag);
	if (head->last_modified)
		record_add(&sb, "last-modified", head->last_modified);
	if (head->validator)
		record_add(&sb, "validator", head->validator);
	r = write_all(f->head, sb.buf, sb.len);
	f->head = fd_close(f->head);
	return r < 0 ? err_sysr(e, r, "hand over") : 0;
}

static int on_body(void *arg, const void *data, size_t len, struct err *e)
{
	struct fetch *f = arg;
	int r;

	if (f->kind->read_page) { /* http_get() knows the limit */
		strbuf_add(&f->page, data, len);
		return 0;
	}
	r = write_all(f->out, data, len);
	return r < 0 ? err_sysr(e, r, "hand over") : 0;
}

static int give_words(struct fetch *f, struct err *e)
{
	_cleanup_strbuf_ struct strbuf words = STRBUF_INIT;
	int r = f->kind->read_page(f->page.buf ? f->page.buf : "", f->page.len, &words, e);

	if (r == 0 && words.len)
		r = write_all(f->out, words.buf, words.len);
	return r;
}

/* --- the jail --- */

/* Where a path really is, unless the jail has it anyway; NULL then. */
static char *place_of(const char *path)
{
	char *real = path ? realpath(path, NULL) : NULL;

	if (!real || str_starts(real, "/etc/") || str_starts(real, "/usr/")) {
		free(real);
		return NULL;
	}
	return real;
}

/* Where the resolver's settings really are (systemd-resolved, resolvconf: below /run). */
static char *resolver_dir(void)
{
	char *path = place_of(RESOLV_CONF), *slash = path ? strrchr(path, '/') : NULL;

	if (!slash || slash == path) {
		free(path);
		return NULL;
	}
	*slash = '\0';
	return path;
}

static int enter_jail(const char *ca_dir, struct err *e)
{
	_cleanup_free_ char *resolver = resolver_dir(), *ca = place_of(ca_dir);
	const char *shared[12] = {"/usr",   "/etc",   "/bin",	 "/lib",
				  "/lib32", "/lib64", "/libx32", "/dev/null"};
	size_t n = 8;
	const struct jail jail = {
		.uid = JAIL_UID_FETCH,
		.network = true,
		.root = -EBADF,
		.shared = shared,
		.filter = JAIL_FILTER_DENY,
		.memory = 1ull << 30,
		.cpu_seconds = 3600,
		.files = 128,
		.processes = 256,
	};

	if (resolver)
		shared[n++] = resolver;
	if (ca)
		shared[n++] = ca;
	return jail_enter(&jail, e);
}

/*
 * SSL_CERT_FILE and SSL_CERT_DIR as other programs know them; the file is read before the jail
 * hides it.  The directory of openssl-rehash(1) is looked into by libcurl's TLS library.
 */
static int read_authorities(struct http_request *rq, char **ret, struct err *e)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	int r;

	if (dir && *dir)
		rq->ca_dir = dir;
	if (!file || !*file)
		return 0;
	r = file_read_at(AT_FDCWD, file, CA_MAX, ret, &rq->ca_len, e);
	if (r < 0)
		return err_ctx(e, r, "SSL_CERT_FILE");
	rq->ca = *ret;
	return 0;
}

int fetch_run(const struct fetch_kind *kind, struct err *e)
{
	_cleanup_fetch_request_ struct fetch_request rq = FETCH_REQUEST_INIT;
	struct fetch f = {.kind = kind, .out = fds_take("out"), .head = fds_take("head")};
	_cleanup_fd_ int request = fds_take("request");
	_cleanup_free_ char *ca = NULL;
	int r;

	if (f.out < 0 || f.head < 0 || request < 0)
		return err_set(e, EBADF, "a descriptor is missing");
	r = fetch_request_read(request, &rq, e);
	if (r == 0)
		r = read_authorities(&rq.http, &ca, e);
	if (r == 0)
		r = enter_jail(rq.http.ca_dir, e);
	if (r >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT))
		r = err_set(e, ENOMEM, "curl");
	if (r < 0)
		return r;
	if (kind->read_page && rq.http.max_bytes > kind->page_max)
		rq.http.max_bytes = kind->page_max;
	rq.http.on_head = on_head;
	rq.http.on_body = on_body;
	rq.http.arg = &f;
	r = http_get(&rq.http, e);
	if (r == 0 && kind->read_page)
		r = give_words(&f, e);
	strbuf_done(&f.page);
	return r;
}
