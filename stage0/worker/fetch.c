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
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "stage0/worker/fetch.h"
#include "stage0/worker/fetch_request.h"
#include "stage0/worker/http.h"
#include "stage0/worker/jail.h"
#include "stage0/worker/worker.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define CA_MAX (8u << 20)

struct fetch {
	int out, head;
	const struct fetch_kind *kind;
	struct strbuf page; /* kind->read_page: the page, to be read when it is whole */
};

/* --- answers --- */

static void add_registry_words(struct strbuf *sb, const struct http_head *head)
{
	const struct {
		const char *key, *value;
	} words[] = {
		{"challenge", head->challenge},
		{"content-type", head->content_type},
		{"digest", head->digest},
		{"location", head->location},
		{"next", head->next},
	};

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (words[i].value)
			record_add(sb, words[i].key, words[i].value);
	if (head->retry_after >= 0)
		record_addf(sb, "retry-after", "%lld", (long long) head->retry_after);
}

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
	add_registry_words(&sb, head);
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

/* What every request of this worker has in common, besides the jail. */
struct authorities {
	char *file; /* owned, or NULL */
	size_t file_len;
	const char *dir;
};

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
static int read_authorities(struct authorities *ret, struct err *e)
{
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	int r;

	if (dir && *dir)
		ret->dir = dir;
	if (!file || !*file)
		return 0;
	r = file_read_at(AT_FDCWD, file, CA_MAX, &ret->file, &ret->file_len, e);
	return r < 0 ? err_ctx(e, r, "SSL_CERT_FILE") : 0;
}

static int begin(struct authorities *a, struct err *e)
{
	int r = read_authorities(a, e);

	if (r == 0)
		r = enter_jail(a->dir, e);
	if (r >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT))
		r = err_set(e, ENOMEM, "curl");
	return r < 0 ? r : 0;
}

static int one(struct http_client *client, const struct authorities *a, struct fetch *f, int request, int body,
	       struct err *e)
{
	_cleanup_fetch_request_ struct fetch_request rq = FETCH_REQUEST_INIT;
	int r = fetch_request_read(request, &rq, e);

	if (r < 0)
		return r;
	if (f->kind->read_page && rq.http.max_bytes > f->kind->page_max)
		rq.http.max_bytes = f->kind->page_max;
	rq.http.body = body;
	rq.http.ca = a->file;
	rq.http.ca_len = a->file_len;
	rq.http.ca_dir = a->dir;
	rq.http.on_head = on_head;
	rq.http.on_body = on_body;
	rq.http.arg = f;
	if (rq.http.body_length && body < 0)
		return err_set(e, EBADF, "request: what is to be sent is missing");
	return http_get(client, &rq.http, e);
}

/* --- one after the other --- */

/* 1: a request; 0: there will be none. */
static int next_request(int requests, int fds[FETCH_FDS], struct err *e)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * FETCH_FDS)];
	} control = {0};
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			   .msg_controllen = sizeof control};
	struct cmsghdr *c;
	ssize_t n;
	size_t got;

	do
		n = recvmsg(requests, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	if (!c || (m.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) || c->cmsg_type != SCM_RIGHTS)
		return n < 0 ? err_sys(e, "requests") : err_set(e, EPROTO, "requests: malformed");
	got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (got != FETCH_BODY && got != FETCH_FDS)
		return err_set(e, EPROTO, "requests: malformed");
	fds[FETCH_BODY] = -EBADF;
	memcpy(fds, CMSG_DATA(c), got * sizeof(int));
	return 1;
}

static void answer(int result, int r, const struct err *why)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, WORKER_RECORD_VERSION);
	if (r < 0) {
		record_addf(&sb, "code", "%d", why->code ? why->code : -r);
		record_add(&sb, "message", err_text(why));
	}
	(void) write_all(result, sb.buf, sb.len);
}

/* Whoever reads is gone: that is the end of one request, not of this program. */
static int serve(int requests, const struct authorities *a, const struct fetch_kind *kind, struct err *e)
{
	struct http_client client = {0};
	int fds[FETCH_FDS], r;

	(void) signal(SIGPIPE, SIG_IGN);
	while ((r = next_request(requests, fds, e)) > 0) {
		_cleanup_err_ struct err why = ERR_INIT;
		struct fetch f = {.kind = kind, .out = fds[FETCH_OUT], .head = fds[FETCH_HEAD]};
		int done = one(&client, a, &f, fds[FETCH_REQUEST], fds[FETCH_BODY], &why);

		(void) fd_close(f.head);
		(void) fd_close(f.out);
		(void) fd_close(fds[FETCH_REQUEST]);
		(void) fd_close(fds[FETCH_BODY]);
		answer(fds[FETCH_RESULT], done, &why);
		(void) fd_close(fds[FETCH_RESULT]);
	}
	http_client_done(&client);
	return r;
}

int fetch_run(const struct fetch_kind *kind, struct err *e)
{
	struct fetch f = {.kind = kind, .out = fds_take("out"), .head = fds_take("head")};
	_cleanup_fd_ int request = fds_take("request"), requests = fds_take("requests");
	struct http_client client = {0};
	struct authorities a = {0};
	int r;

	if (requests < 0 && (f.out < 0 || f.head < 0 || request < 0))
		return err_set(e, EBADF, "a descriptor is missing");
	r = begin(&a, e);
	if (r == 0 && requests >= 0)
		r = serve(requests, &a, kind, e);
	else if (r == 0)
		r = one(&client, &a, &f, request, -EBADF, e);
	if (r == 0 && kind->read_page)
		r = give_words(&f, e);
	strbuf_done(&f.page);
	free(a.file);
	return r;
}
