/*
 * One request and its answer.  What the answer is is decided when its headers are over, before the
 * first byte of the body is handed on.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "stage0/worker/http_link.h"
#include "stage0/worker/http_session.h"

#define HEADERS_MAX (256u << 10)
#define IGNORED_MAX (64u << 10) /* of a page that nobody reads; then the connection is closed */
#define CONNECT_SECONDS 30L
#define REFUSAL_MAX (64u << 10)	/* of one that somebody does read */
#define STALL_BYTES 128L /* a second: a server that sends a byte now and then must not hold us for ever */
#define STALL_SECONDS 30L /* slower than that for so long: it has stalled */
#define DOCUMENT_MAX (4u << 20) /* manifests, tokens, signatures: they have an end */
#define DOCUMENT_SECONDS 600L
#define UPLOAD_STALL_SECONDS 300L /* a registry reads all of a blob once more before it answers */
#define BUFFER_SIZE (256L << 10)
/* S3 wants the body's SHA-256 as a header, and signed; that of no body. */
#define SHA256_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* --- what the answer is --- */

static int too_large(const struct http_session *s, struct err *e)
{
	return err_set(e, EFBIG, "larger than the limit of %llu bytes",
		       (unsigned long long) s->rq->max_bytes);
}

static int accept_answer(struct http_session *s, struct err *e)
{
	const struct http_headers *h = &s->headers;
	_cleanup_http_url_ struct http_url made = {0}, page = {0};
	_cleanup_free_ char *next = h->link ? http_link_next(h->link) : NULL;
	struct http_head head = {
		.status = h->status,
		.url = s->url.text,
		.https = s->https,
		.redirects = s->redirects,
		.etag = h->etag,
		.last_modified = h->last_modified,
		.validator = s->validator,
		.fresh = http_headers_fresh(h),
		.length = s->whole,
		.challenge = h->challenge,
		.content_type = h->content_type,
		.digest = h->digest,
		.retry_after = h->retry_after,
	};

	if (h->location && http_url_read(s->url.text, h->location, &made, NULL) == 0)
		head.location = made.text;
	if (next && http_url_read(s->url.text, next, &page, NULL) == 0)
		head.next = page.text;
	if (s->whole >= 0 && !s->refusal && (uint64_t) s->whole > s->rq->max_bytes)
		return too_large(s, e);
	s->accepted = true;
	return s->rq->on_head(s->rq->arg, &head, e);
}

/*
 * 206: is it the rest of what we have?  A server may ignore If-Range, or be another one than
 * before.
 */
static bool is_the_rest(const struct http_session *s)
{
	const struct http_headers *h = &s->headers;
	const char *same_kind = !s->validator ? NULL :
				http_date(s->validator) >= 0 ? h->last_modified : h->etag;

	return h->first >= 0 && (uint64_t) h->first == s->at &&
	       (!same_kind || !strcmp(same_kind, s->validator)) &&
	       (s->whole < 0 || h->total < 0 || s->whole == h->total);
}

static int changed(struct err *e)
{
	return err_set(e, EAGAIN, "what is there changed while it was downloaded");
}

static int decide_whole(struct http_session *s, struct err *e)
{
	const char *validator = http_headers_validator(&s->headers);

	if (s->accepted && s->rq->immutable) { /* no parts to be had here: pass over what we have */
		s->skip = s->at;
		return 0;
	}
	if (s->accepted) /* a second try: what was told of the first must hold */
		return s->at || !str_eq(validator, s->validator) ? changed(e) : 0;
	s->at = 0;
	s->from_start = false;
	free(s->validator);
	s->validator = xstrdup_null(validator);
	s->whole = s->headers.length;
	return accept_answer(s, e);
}

static int decide_part(struct http_session *s, struct err *e)
{
	if (s->asked && is_the_rest(s)) {
		s->whole = s->headers.total >= 0 ? s->headers.total : s->whole;
		return s->accepted ? 0 : accept_answer(s, e);
	}
	if (s->accepted || !s->asked)
		return s->asked ? changed(e) :
				  err_set(e, EPROTO, "a part came where the whole was asked for");
	s->again = true;
	return 0;
}

/* A status that is nobody's business but the caller's. */
static int decide_other(struct http_session *s, struct err *e)
{
	long status = s->headers.status;
	bool redirect = status >= 300 && status < 400 && s->headers.location &&
			(http_is_get(s->rq) || http_is_head(s->rq));
	int r;

	if (redirect || http_is_busy(s) || (status == 416 && s->asked))
		return 0;
	s->at = 0;
	s->whole = -1;
	s->refusal = status >= 300;
	s->without_body = status == 204 || http_is_head(s->rq);
	r = accept_answer(s, e);
	if (r == 0 && !s->without_body)
		s->verdict = HTTP_BODY;
	return r;
}

static int decide(struct http_session *s, struct err *e)
{
	const struct http_request *rq = s->rq;
	long status = s->headers.status;

	s->verdict = HTTP_IGNORE;
	if (status == 200 && http_is_head(rq)) {
		s->whole = s->headers.length;
		s->without_body = true;
		return accept_answer(s, e);
	}
	if (status == 200 || status == 206) {
		int r = status == 200 ? decide_whole(s, e) : decide_part(s, e);

		if (r == 0 && !s->again)
			s->verdict = HTTP_BODY;
		return r;
	}
	if (s->accepted)
		return 0;
	if (status == 416 && s->asked)
		s->again = true;
	if ((status == 304 && (rq->etag || rq->last_modified)) ||
	    (status == 202 && rq->accept_later)) {
		s->without_body = true;
		return accept_answer(s, e);
	}
	return rq->any_status ? decide_other(s, e) : 0;
}

/* --- libcurl's calls --- */

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_session *s = arg;

	(void) size;
	s->header_bytes += n;
	if (s->header_bytes > HEADERS_MAX) {
		err_set(&s->why, EFBIG, "the answer's headers do not end");
		return 0;
	}
	if (s->verdict != HTTP_UNDECIDED) /* trailers of a chunked body */
		return n;
	if (*line != '\r' && *line != '\n') {
		http_headers_line(&s->headers, line, n, (int64_t) time(NULL));
		return n;
	}
	/* 1xx: the answer follows */
	if (s->headers.status >= 200 && decide(s, &s->why) < 0)
		return 0;
	return s->again ? 0 : n;
}

/* What is handed on; the number of bytes that were taken. */
static size_t hand_on(struct http_session *s, const char *data, size_t n)
{
	size_t again = n < s->skip ? n : (size_t) s->skip;
	size_t left = n - again;
	uint64_t max = s->refusal ? REFUSAL_MAX : s->rq->max_bytes;

	s->skip -= again;
	if (s->refusal && left > max - s->at)
		left = (size_t) (max - s->at);
	if (left > max - s->at) {
		(void) too_large(s, &s->why);
		return 0;
	}
	if (left && s->rq->on_body(s->rq->arg, data + again, left, &s->why) < 0)
		return 0;
	s->at += left;
	return again + left;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_session *s = arg;

	(void) size;
	if (s->verdict != HTTP_BODY) {
		s->ignored += n;
		return s->ignored > IGNORED_MAX ? 0 : n;
	}
	return hand_on(s, data, n);
}

static size_t on_read(char *buf, size_t size, size_t n, void *arg)
{
	struct http_session *s = arg;
	uint64_t left = s->rq->body_length - s->sent;
	ssize_t got;

	n *= size;
	if (n > left)
		n = (size_t) left;
	if (!n)
		return 0;
	got = pread(s->rq->body, buf, n, (off_t) (s->rq->body_offset + s->sent));
	if (got < 0 && errno == ESPIPE)
		got = read(s->rq->body, buf, n);
	if (got <= 0) {
		err_set(&s->why, got < 0 ? errno : EIO, "what is to be sent ends too early");
		return CURL_READFUNC_ABORT;
	}
	s->sent += (uint64_t) got;
	return (size_t) got;
}

/* libcurl begins once more (a connection that it had kept was closed meanwhile). */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_session *s = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t) offset > s->rq->body_length)
		return CURL_SEEKFUNC_FAIL;
	if (lseek(s->rq->body, 0, SEEK_CUR) < 0) /* a pipe: what was read is gone */
		return (uint64_t) offset == s->sent ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
	s->sent = (uint64_t) offset;
	return CURL_SEEKFUNC_OK;
}

/* --- the request --- */

#define SET(option, value) r = r ? r : curl_easy_setopt(s->curl, option, value)

static void add_header(struct curl_slist **list, const char *name, const char *value)
{
	_cleanup_free_ char *line = value ? xasprintf("%s: %s", name, value) : NULL;
	struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;

	if (longer)
		*list = longer;
}

static struct curl_slist *make_headers(struct http_session *s)
{
	const struct http_request *rq = s->rq;
	struct curl_slist *list = NULL;

	add_header(&list, "Accept", rq->accept);
	add_header(&list, "Content-Type", rq->content_type);
	add_header(&list, "Content-Range", rq->content_range);
	if (rq->body_length)
		add_header(&list, "Expect", ""); /* no round trip for the leave to send */
	if (s->credentials && rq->auth == HTTP_AUTH_AWS)
		add_header(&list, "x-amz-content-sha256", SHA256_OF_NOTHING);
	if (s->asked) {
		_cleanup_free_ char *range = xasprintf("bytes=%llu-", (unsigned long long) s->at);

		add_header(&list, "Range", range);
		if (!rq->immutable)
			add_header(&list, "If-Range", s->validator);
	} else if (!s->accepted) {
		add_header(&list, "If-None-Match", rq->etag);
		add_header(&list, "If-Modified-Since", rq->last_modified);
	}
	return list;
}

static CURLcode set_credentials(const struct http_session *s)
{
	const struct http_request *rq = s->rq;
	enum http_auth auth = s->credentials ? rq->auth : HTTP_AUTH_NONE;
	CURLcode r = curl_easy_setopt(s->curl, CURLOPT_HTTPAUTH, CURLAUTH_NONE);
	_cleanup_free_ char *aws = NULL;

	SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(CURLOPT_USERNAME, auth == HTTP_AUTH_BASIC || auth == HTTP_AUTH_AWS ? rq->user : NULL);
	SET(CURLOPT_PASSWORD,
	    auth == HTTP_AUTH_BASIC || auth == HTTP_AUTH_AWS ? rq->password : NULL);
	SET(CURLOPT_XOAUTH2_BEARER, auth == HTTP_AUTH_BEARER ? rq->password : NULL);
	SET(CURLOPT_AWS_SIGV4, NULL);
	if (auth == HTTP_AUTH_BASIC)
		SET(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	if (auth == HTTP_AUTH_BEARER)
		SET(CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
	if (auth == HTTP_AUTH_AWS) {
		aws = xasprintf("aws:amz:%s:s3", rq->region);
		SET(CURLOPT_AWS_SIGV4, aws);
	}
	return r;
}

/*
 * What AWS signs is the query in order (Signature Version 4, task 1), and this libcurl signs it as
 * it is: so it is sent in order, which is the same to the server.
 */
static char *make_url(const struct http_session *s)
{
	const char *url = s->url.text, *query = strchr(url, '?');
	_cleanup_strv_ char **parts = NULL;
	_cleanup_free_ char *sorted = NULL;

	if (!query || !s->credentials || s->rq->auth != HTTP_AUTH_AWS)
		return xstrdup(url);
	parts = strv_split(query + 1, '&');
	strv_sort(parts);
	sorted = strv_join(parts, "&");
	return xasprintf("%.*s?%s", (int) (query - url), url, sorted);
}

static CURLcode set_client(const struct http_session *s)
{
	const struct http_request *rq = s->rq;
	struct curl_blob cert = {.data = (void *) rq->client_cert, .flags = CURL_BLOB_COPY},
			 key = {.data = (void *) rq->client_key, .flags = CURL_BLOB_COPY};
	CURLcode r = CURLE_OK;

	if (!rq->client_cert || !rq->client_key || !s->home)
		return r;
	cert.len = strlen(rq->client_cert);
	key.len = strlen(rq->client_key);
	SET(CURLOPT_SSLCERT_BLOB, &cert);
	SET(CURLOPT_SSLKEY_BLOB, &key);
	return r;
}

/* Authorities of one registry are believed besides those that everybody is. */
static CURLcode set_more_authorities(const struct http_session *s)
{
	const struct http_request *rq = s->rq;
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	struct curl_blob ca = {.flags = CURL_BLOB_COPY};
	CURLcode r = CURLE_OK;

	if (rq->ca)
		strbuf_add(&all, rq->ca, rq->ca_len);
	strbuf_addc(&all, '\n');
	strbuf_adds(&all, rq->more_ca);
	ca.data = all.buf;
	ca.len = all.len;
	SET(CURLOPT_CAINFO_BLOB, &ca);
	return r;
}

static CURLcode set_trust(const struct http_session *s)
{
	const struct http_request *rq = s->rq;
	const struct curl_blob ca = {
		.data = (void *) rq->ca, .len = rq->ca_len, .flags = CURL_BLOB_NOCOPY};
	CURLcode r = set_client(s);

	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, rq->any_certificate ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, rq->any_certificate ? 0L : 2L);
	if (rq->ca) {
		SET(CURLOPT_CAINFO_BLOB, &ca);
		SET(CURLOPT_PROXY_CAINFO_BLOB, &ca);
	}
	if (rq->ca && !rq->ca_dir)
		SET(CURLOPT_CAPATH, NULL);
	if (rq->ca_dir)
		SET(CURLOPT_CAPATH, rq->ca_dir);
	if (rq->more_ca && s->home && !r)
		r = set_more_authorities(s);
	return r;
}

static CURLcode set_method(struct http_session *s)
{
	const struct http_request *rq = s->rq;
	CURLcode r = CURLE_OK;

	if (http_is_get(rq))
		return r;
	if (http_is_head(rq)) {
		SET(CURLOPT_NOBODY, 1L);
		return r;
	}
	if (rq->body_length) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t) rq->body_length);
		SET(CURLOPT_READFUNCTION, on_read);
		SET(CURLOPT_READDATA, s);
		SET(CURLOPT_SEEKFUNCTION, on_seek);
		SET(CURLOPT_SEEKDATA, s);
		SET(CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_SIZE);
	} else if (strcmp(rq->method, "DELETE")) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, "");
		SET(CURLOPT_POSTFIELDSIZE, 0L);
	}
	SET(CURLOPT_CUSTOMREQUEST, rq->method);
	return r;
}

static CURLcode set_options(struct http_session *s, struct curl_slist *headers)
{
	const char *protocols = s->rq->allow_http ? "http,https" : "https";
	_cleanup_free_ char *url = make_url(s); /* libcurl copies strings */
	CURLcode r = CURLE_OK;

	SET(CURLOPT_ERRORBUFFER, s->error);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* One stream is all there is: HTTP/2 would only cost. */
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	SET(CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME,
	    http_is_get(s->rq) || http_is_head(s->rq) ? STALL_SECONDS : UPLOAD_STALL_SECONDS);
	if (http_is_get(s->rq) && s->rq->max_bytes <= DOCUMENT_MAX)
		SET(CURLOPT_TIMEOUT, DOCUMENT_SECONDS);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_USERAGENT, "gantry/" GANTRY_VERSION);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, s);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, s);
	return r;
}

#undef SET

int http_transfer(struct http_session *s, CURLcode *ret, struct err *e)
{
	struct curl_slist *headers;
	CURLcode r;

	s->asked = !s->from_start && s->at && http_can_resume(s);
	s->verdict = HTTP_UNDECIDED;
	s->again = false;
	s->header_bytes = s->ignored = s->sent = s->skip = 0;
	s->error[0] = '\0';
	http_headers_done(&s->headers);
	headers = make_headers(s);
	r = set_options(s, headers);
	r = r ? r : set_credentials(s);
	r = r ? r : set_trust(s);
	r = r ? r : set_method(s);
	if (r) {
		curl_slist_free_all(headers);
		return err_set(e, EINVAL, "curl: %s", curl_easy_strerror(r));
	}
	*ret = curl_easy_perform(s->curl);
	(void) curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	return 0;
}
