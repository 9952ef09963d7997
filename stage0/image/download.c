#include "stage0/image/download.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/image/credentials.h"
#include "stage0/image/fetchers.h"
#include "stage0/worker/fetch_request.h"
#include "stage0/worker/http_header.h"
#include "stage0/worker/metatags.h"

/* Fewer changes between two processes; where the host's limit is lower, so be it. */
#define PIPE_SIZE (1 << 20)
#define WORKER_END_MS 10000    /* for the answer of a worker that has ended, or is about to */
#define HEAD_MS (180 * 1000)   /* all tries and redirects; the worker itself gives up sooner */
#define UPLOAD_MS (600 * 1000) /* a registry reads all of it once more before it answers */
#define SLOWEST_UPLOAD 16      /* bytes in a millisecond; the worker itself watches over a stall */
#define REDIRECTS_ELSEWHERE 10 /* the worker counts them as well */

/* --- what the worker is asked for --- */

static void add_flag(struct strbuf *sb, const char *key, bool on)
{
	if (on)
		record_add(sb, key, "1");
}

static void add_text(struct strbuf *sb, const char *key, const char *value)
{
	if (value)
		record_add(sb, key, value);
}

static void add_auth(struct strbuf *sb, const struct credentials *c)
{
	const struct auth *auth = c->auth;

	if (!auth)
		return;
	record_add(sb, "auth-site", c->site);
	switch (auth->type) {
	case AUTH_BASIC:
		record_add(sb, "auth", "basic");
		record_add(sb, "auth-user", auth->user);
		record_add(sb, "auth-password", auth->password);
		break;
	case AUTH_OAUTH:
		record_add(sb, "auth", "bearer");
		record_add(sb, "auth-password", auth->token);
		break;
	case AUTH_AWS:
		record_add(sb, "auth", "aws");
		record_add(sb, "auth-user", auth->access_key_id);
		record_add(sb, "auth-password", auth->secret_key);
		record_add(sb, "auth-region", auth->region);
		break;
	}
}

/* A sealed descriptor: neither argv nor the environment is a place for secrets (proc(5)). */
static void add_exchange(struct strbuf *sb, const struct download_exchange *x, bool elsewhere)
{
	add_flag(sb, "any-status", true);
	add_flag(sb, "immutable", x->immutable);
	add_text(sb, "method", x->method);
	add_text(sb, "accept", x->accept);
	add_text(sb, "content-type", x->content_type);
	add_text(sb, "content-range", x->content_range);
	if (x->body_offset)
		record_addf(sb, "body-offset", "%llu", (unsigned long long) x->body_offset);
	if (x->body_length)
		record_addf(sb, "body-length", "%llu", (unsigned long long) x->body_length);
	/* Whom we believe goes along, as with docker; who we are does not. */
	add_text(sb, "more-ca", x->more_ca);
	if (elsewhere)
		return;
	add_text(sb, "client-cert", x->client_cert);
	add_text(sb, "client-key", x->client_key);
}

static int make_request(const struct download_request *rq, const struct credentials *c,
			int64_t redirects, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *dir = xasprintf("%s/auth.d", rq->g->local_config);
	const struct download_exchange *x = rq->exchange;
	unsigned insecure = rq->g->insecure;
	int fd;

	record_begin(&sb, FETCH_REQUEST_VERSION);
	record_add(&sb, "url", c->url);
	record_addf(&sb, "max-bytes", "%llu", (unsigned long long) rq->max_bytes);
	record_addf(&sb, "redirects", "%lld", (long long) redirects);
	add_flag(&sb, "allow-http", (insecure & INSECURE_HTTP) || (x && x->allow_http));
	add_flag(&sb, "any-certificate",
		 (insecure & INSECURE_TLS) || (x && x->any_certificate));
	add_flag(&sb, "retry", rq->retry);
	add_flag(&sb, "accept-later", rq->accept_later);
	add_flag(&sb, "stop-elsewhere", c->list.n > 0 || x);
	if (x)
		add_exchange(&sb, x, c->followed);
	add_text(&sb, "etag", rq->etag);
	add_text(&sb, "last-modified", rq->last_modified);
	if (rq->offset && (rq->validator || (x && x->immutable))) {
		record_addf(&sb, "offset", "%llu", (unsigned long long) rq->offset);
		add_text(&sb, "validator", rq->validator);
	}
	record_add(&sb, "auth-dir", dir);
	add_auth(&sb, c);
	fd = fd_sealed("request", sb.buf, sb.len, e);
	explicit_bzero(sb.buf, sb.len);
	return fd;
}

/* --- its answer --- */

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int read_pipe(int fd, int64_t deadline, struct strbuf *sb, struct err *e)
{
	char buf[16384];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		int n = poll(&p, 1, left > 0 ? (int) left : 0);
		ssize_t got;

		if (n == 0)
			return err_set(e, ETIMEDOUT, "the server does not answer");
		got = n < 0 ? -1 : read(fd, buf, sizeof buf);
		if (got < 0 && errno != EINTR)
			return err_sys(e, "answer of image fetch");
		if (got == 0)
			return 0;
		if (got > 0)
			strbuf_add(sb, buf, (size_t) got);
		if (sb->len > FETCH_HEAD_MAX)
			return err_set(e, EFBIG, "image fetch: answer too large");
	}
}

/*
 * Kept, shown, and sent back one day; the worker looks at it as well, but it is the worker's word.
 */
static char *copy_word(const struct record *rec, const char *key, size_t max)
{
	const char *value = record_get(rec, key);
	size_t n = value ? strlen(value) : 0;

	if (!n || n > max || !str_is_utf8(value, n))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char) value[i] < ' ' || value[i] == 0x7f)
			return NULL;
	return xstrdup(value);
}

static int64_t read_number(const struct record *rec, const char *key, int64_t max,
			   int64_t otherwise)
{
	const char *value = record_get(rec, key);

	if (value)
		(void) parse_i64(value, 0, max, &otherwise);
	return otherwise;
}

static void head_done(struct download_head *h)
{
	free(h->url);
	free(h->etag);
	free(h->last_modified);
	free(h->validator);
	free(h->challenge);
	free(h->content_type);
	free(h->digest);
	free(h->location);
	free(h->next);
	*h = (struct download_head) {0};
}

static int read_head(int fd, int64_t timeout_ms, struct download_head *ret, int64_t *redirects, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_record_ struct record rec = RECORD_INIT;
	int r = read_pipe(fd, now_ms() + timeout_ms, &sb, e);
	size_t len = sb.len;

	if (r < 0)
		return r;
	if (!len) /* it failed, and says why in its result */
		return 1;
	if (record_parse(&rec, strbuf_take(&sb), len, FETCH_HEAD_VERSION, NULL) < 0)
		return err_set(e, EPROTO, "image fetch gave a malformed answer");
	*ret = (struct download_head) {
		.status = (long) read_number(&rec, "status", 999, 0),
		.url = copy_word(&rec, "url", HTTP_LOCATION_MAX * 2),
		.https = str_eq(record_get(&rec, "https"), "1"),
		.etag = copy_word(&rec, "etag", HTTP_VALUE_MAX),
		.last_modified = copy_word(&rec, "last-modified", HTTP_VALUE_MAX),
		.validator = copy_word(&rec, "validator", HTTP_VALUE_MAX),
		.fresh = read_number(&rec, "fresh", INT32_MAX, 0),
		.length = read_number(&rec, "length", INT64_MAX, -1),
		.challenge = copy_word(&rec, "challenge", HTTP_CHALLENGE_MAX),
		.content_type = copy_word(&rec, "content-type", HTTP_VALUE_MAX),
		.digest = copy_word(&rec, "digest", HTTP_VALUE_MAX),
		.location = copy_word(&rec, "location", HTTP_LOCATION_MAX * 2),
		.next = copy_word(&rec, "next", HTTP_LOCATION_MAX * 2),
		.retry_after = read_number(&rec, "retry-after", INT32_MAX, -1),
	};
	*redirects = read_number(&rec, "redirects", 1000, *redirects);
	return ret->url ? 0 : err_set(e, EPROTO, "image fetch gave a malformed answer");
}

/* --- one worker --- */

struct ends {
	int head, out, result;
};

static void ends_done(struct ends *x)
{
	(void) fd_close(x->head);
	(void) fd_close(x->out);
	(void) fd_close(x->result);
}

/* Both ends are the caller's, and nobody else's. */
static int make_pipe(int *ours, int *theirs, struct err *e)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	*ours = p[0];
	*theirs = p[1];
	return 0;
}

static int ask_program(const struct download_request *rq, const struct credentials *c _unused_, int request,
		       const struct ends *ends, struct download *d, struct err *e)
{
	const struct fd_name names[] = {
		{"request", request}, {"head", ends->head}, {"out", ends->out}};

	return worker_start(rq->g, rq->meta_tags ? "discover" : "fetch", NULL, names,
			    ELEMENTSOF(names), &d->worker, e);
}

static int ask_fetcher(const struct download_request *rq, const struct credentials *c, int request,
		       struct ends *ends, struct download *d, struct err *e)
{
	const struct download_exchange *x = rq->exchange;
	int fds[FETCH_FDS] = {[FETCH_REQUEST] = request, [FETCH_HEAD] = ends->head, [FETCH_OUT] = ends->out,
			      [FETCH_BODY] = x->body_length ? x->body : -EBADF};
	int r = make_pipe(&d->answer, &ends->result, e);

	fds[FETCH_RESULT] = ends->result;
	d->fetchers = x->fetchers;
	/* One that was idle may have died since; a new one has no reason to. */
	for (int i = 0; r == 0 && i < 2; i++) {
		r = fetchers_take(x->fetchers, rq->g, c->url, &d->fetcher, e);
		if (r == 0)
			r = fetcher_ask(d->fetcher, fds, e);
		if (r != -EPIPE || i > 0)
			break;
		fetchers_drop(x->fetchers, take_ptr(d->fetcher));
		r = 0;
	}
	return r;
}

static int start_worker(const struct download_request *rq, const struct credentials *c, int request,
			struct download *d, int *ret_head, struct err *e)
{
	struct ends ends = {-EBADF, -EBADF, -EBADF};
	int r = make_pipe(&d->pipe, &ends.out, e);

	if (r == 0)
		r = make_pipe(ret_head, &ends.head, e);
	if (r == 0) {
		(void) fcntl(ends.out, F_SETPIPE_SZ, PIPE_SIZE);
		r = rq->exchange && rq->exchange->fetchers ?
			    ask_fetcher(rq, c, request, &ends, d, e) :
			    ask_program(rq, c, request, &ends, d, e);
	}
	ends_done(&ends);
	return r;
}

/* All tries and redirects; what is sent takes its time before there is an answer. */
static int64_t head_timeout(const struct download_request *rq)
{
	uint64_t length = rq->exchange ? rq->exchange->body_length : 0;

	return HEAD_MS + (length ? UPLOAD_MS + (int64_t) (length / SLOWEST_UPLOAD) : 0);
}

static int ask(const struct download_request *rq, const struct credentials *c, struct download *d,
	       int64_t *redirects, struct err *e)
{
	_cleanup_fd_ int request = make_request(rq, c, *redirects, e), head = -EBADF;
	int r = request < 0 ? request : start_worker(rq, c, request, d, &head, e);

	if (r == 0)
		r = read_head(head, head_timeout(rq), &d->head, redirects, e);
	if (r == 1) {
		r = download_finish(d, e);
		if (r == 0)
			r = err_set(e, EPROTO, "image fetch gave no answer");
	}
	return r;
}

static bool is_expected(const struct download_request *rq, const struct download_head *h)
{
	if (rq->exchange)
		return h->status >= 200;
	switch (h->status) {
	case 200:
		return true;
	case 202:
		return rq->accept_later;
	case 206:
		return rq->offset && rq->validator;
	case 304:
		return rq->etag || rq->last_modified;
	}
	return false;
}

int download_start(const struct download_request *rq, struct download *ret, struct err *e)
{
	_cleanup_credentials_ struct credentials c = {0};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	const struct download_exchange *x = rq->exchange;
	int64_t redirects = 0;
	bool https = true;
	int r;

	if (str_starts(rq->url, "http://") && !(rq->g->insecure & INSECURE_HTTP) && !(x && x->allow_http))
		return err_set(e, EPERM, "http is not allowed (see --insecure-options=http)");
	r = x ? credentials_given(rq->url, x->auth, &c, e) : credentials_for(rq->g, rq->url, &c, e);
	for (int i = 0; r == 0 && i <= REDIRECTS_ELSEWHERE; i++) {
		r = ask(rq, &c, &d, &redirects, e);
		https = https && d.head.https;
		if (r < 0 || d.head.status != 302 || (x && d.head.location))
			break;
		/*
		 * What is configured for that host is for another worker: this one has seen foreign
		 * bytes.
		 */
		r = credentials_follow(&c, d.head.url, e);
		c.followed = true;
		if (x && d.fetcher && r == 0)
			r = download_finish(&d, e);
		download_stop(&d);
	}
	if (r == 0 && !is_expected(rq, &d.head))
		r = err_set(e, EPROTO, "image fetch gave a malformed answer");
	if (r < 0)
		return r;
	d.head.https = https;
	*ret = d;
	d = (struct download) DOWNLOAD_INIT;
	return 0;
}

void download_stop(struct download *d)
{
	worker_kill(&d->worker);
	if (d->fetcher)
		fetchers_drop(d->fetchers, d->fetcher);
	d->fetcher = NULL;
	d->answer = fd_close(d->answer);
	d->pipe = fd_close(d->pipe);
	head_done(&d->head);
}

static int finish_fetcher(struct download *d, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	struct fetcher *f = take_ptr(d->fetcher);
	bool gone;
	int r = worker_answer(&f->worker, d->answer, WORKER_END_MS, &rec, &gone, e);

	d->answer = fd_close(d->answer);
	if (gone)
		fetchers_drop(d->fetchers, f);
	else
		fetchers_give_back(f);
	return r;
}

int download_finish(struct download *d, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;

	d->pipe = fd_close(d->pipe);
	return d->fetcher ? finish_fetcher(d, e) : worker_finish(&d->worker, WORKER_END_MS, &rec, e);
}

/* --- documents --- */

void document_done(struct document *d)
{
	free(d->data);
	free(d->url);
	*d = (struct document) {0};
}

int download_all(const struct gantry *g, const char *url, size_t limit, unsigned flags,
		 struct document *ret, struct err *e)
{
	const struct download_request rq = {
		.g = g,
		.url = url,
		.max_bytes = flags & DOWNLOAD_META_TAGS ? METATAGS_PAGE_MAX : limit,
		.retry = flags & DOWNLOAD_RETRY,
		.accept_later = flags & DOWNLOAD_LATER,
		.meta_tags = flags & DOWNLOAD_META_TAGS,
	};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	_cleanup_free_ char *data = NULL;
	size_t len = 0;
	int r = download_start(&rq, &d, e), r2;

	if (r < 0)
		return r;
	if (d.head.status == 202)
		return 1;
	r2 = read_all(d.pipe, limit, &data, &len);
	r = r2 == -EFBIG ? err_set(e, EFBIG, "it is larger than %zu bytes", limit) :
			   download_finish(&d, e);
	if (r == 0 && r2 < 0)
		r = err_sysr(e, r2, "read");
	if (r < 0)
		return r;
	*ret = (struct document) {
		.data = take_ptr(data),
		.len = len,
		.url = take_ptr(d.head.url),
		.https = d.head.https,
	};
	return 0;
}
