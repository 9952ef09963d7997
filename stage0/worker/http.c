#include "stage0/worker/http.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "stage0/worker/http_session.h"

#define REDIRECTS_MAX 10
#define TRIES 4
#define RETRY_AFTER_MAX 10	   /* seconds: who wants more is told to come back himself */
#define PATIENCE_MAX 30		   /* the same of a registry, which says it to whom it knows */
/* Whoever sent so many since the last failure starts anew with the tries. */
#define PROGRESS_BYTES (1u << 20)

/* --- the next try --- */

static bool is_redirect(const struct http_session *s)
{
	long status = s->headers.status;

	return s->verdict == HTTP_IGNORE && s->headers.location &&
	       (http_is_get(s->rq) || http_is_head(s->rq)) &&
	       ((status >= 301 && status <= 303) || status == 307 || status == 308);
}

bool http_is_busy(const struct http_session *s)
{
	long status = s->headers.status;

	if (s->rq->any_status)
		return (status == 429 || (status >= 500 && status <= 504 && status != 501)) &&
		       s->headers.retry_after <= PATIENCE_MAX && s->rq->retry &&
		       s->tries + 1 < TRIES;
	return status >= 502 && status <= 504 && s->headers.retry_after <= RETRY_AFTER_MAX;
}

static bool is_busy(const struct http_session *s)
{
	return s->verdict == HTTP_IGNORE && http_is_busy(s);
}

/* The connection was refused or broke; names, certificates and stalls do not get better at once. */
static bool is_broken(const struct http_session *s, CURLcode r)
{
	long code = 0;

	if (s->verdict == HTTP_IGNORE)
		return false;
	switch (r) {
	case CURLE_COULDNT_CONNECT:
		(void) curl_easy_getinfo(s->curl, CURLINFO_OS_ERRNO, &code);
		return code == ECONNREFUSED || code == ECONNRESET;
	case CURLE_RECV_ERROR: /* also of a proxy that does not connect */
		(void) curl_easy_getinfo(s->curl, CURLINFO_HTTP_CONNECTCODE, &code);
		return code < 300;
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return true;
	default:
		return false;
	}
}

static void wait_before(const struct http_session *s, unsigned try)
{
	static const long ms[TRIES - 1] = {250, 1000, 3000};
	long wait = ms[try - 1];
	struct timespec ts;

	if (s->headers.retry_after * 1000 > wait)
		wait = (long) s->headers.retry_after * 1000;
	ts = (struct timespec) {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
	(void) nanosleep(&ts, NULL);
}

/* Another try is of use when nothing was handed on yet, or when the rest can be asked for. */
static bool can_try_again(struct http_session *s)
{
	if (!s->rq->retry || (s->accepted && s->at && !http_can_resume(s)))
		return false;
	if (s->at - s->at_last_failure >= PROGRESS_BYTES)
		s->tries = 0;
	s->at_last_failure = s->at;
	return ++s->tries < TRIES;
}

/* --- the next hop --- */

/* 0: go on there; 1: it is the caller's. */
static int follow(struct http_session *s, struct err *e)
{
	_cleanup_http_url_ struct http_url next = {0};
	int r = http_url_read(s->url.text, s->headers.location, &next, e);
	bool here;

	if (r < 0)
		return r;
	if (++s->redirects > REDIRECTS_MAX)
		return err_set(e, ELOOP, "more than %d redirects", REDIRECTS_MAX);
	if (!next.https && !s->rq->allow_http)
		return err_set(e, EPERM,
			       "a redirect to http://%s: http is not allowed "
			       "(see --insecure-options=http)",
			       next.site);
	here = http_url_same_origin(&s->url, &next);
	if (!here)
		s->credentials = s->home = false;
	s->https = s->https && next.https;
	http_url_done(&s->url);
	s->url = next;
	next = (struct http_url) {0};
	if (!here && s->rq->stop_elsewhere && !s->accepted) {
		const struct http_head head = {
			.status = 302,
			.url = s->url.text,
			.https = s->https,
			.redirects = s->redirects,
			.length = -1,
		};

		r = s->rq->on_head(s->rq->arg, &head, e);
		return r < 0 ? r : 1;
	}
	return 0;
}

/* --- the end --- */

/* 401, 403: which of the things that the operator can do. */
static void explain_refusal(const struct http_session *s, struct strbuf *sb)
{
	const struct http_request *rq = s->rq;
	const char *host = s->url.site, *dir = rq->auth_dir ? rq->auth_dir : "auth.d";

	if (s->credentials)
		strbuf_addf(sb,
			    ": %s does not take the credentials that are configured for it; see %s",
			    host, dir);
	else if (rq->auth != HTTP_AUTH_NONE)
		strbuf_addf(sb,
			    ": %s, to which the redirect leads, wants credentials of its own; "
			    "those for %s are not sent there",
			    host, rq->site);
	else
		strbuf_addf(sb,
			    ": %s wants credentials, and none are configured for it; "
			    "put a file of kind \"auth\" with the domain \"%s\" into %s",
			    host, host, dir);
}

static int bad_status(const struct http_session *s, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	long status = s->headers.status;

	strbuf_addf(&sb, "bad HTTP status code: %ld", status);
	if ((status == 401 || status == 403) && !s->rq->any_status)
		explain_refusal(s, &sb);
	else if (status == 407)
		strbuf_adds(&sb, ": the proxy wants credentials");
	else if (s->headers.retry_after > RETRY_AFTER_MAX)
		strbuf_addf(&sb, ": %s asks to come back in %lld seconds", s->url.site,
			    (long long) s->headers.retry_after);
	return err_set(e, status == 404 || status == 410 ? ENOENT :
			  status == 401 || status == 403 ? EACCES : EIO, "%s", sb.buf);
}

static int give_up(struct http_session *s, CURLcode r, struct err *e)
{
	long proxy = 0;

	if (s->verdict == HTTP_IGNORE)
		return bad_status(s, e);
	if (curl_easy_getinfo(s->curl, CURLINFO_HTTP_CONNECTCODE, &proxy) == CURLE_OK &&
	    proxy >= 300)
		return err_set(e, EIO, "the proxy does not connect to %s: HTTP status code %ld",
			       s->url.site, proxy);
	return err_set(e, r == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT :
			  r == CURLE_COULDNT_CONNECT ? ECONNREFUSED :
			  r == CURLE_SSL_CONNECT_ERROR ? EPROTO : EIO, "%s",
		       *s->error ? s->error : curl_easy_strerror(r));
}

/*
 * libcurl is content with a 206 that is shorter than the rest, since it does not know what we have.
 */
static bool is_whole(const struct http_session *s)
{
	return s->whole < 0 || s->at == (uint64_t) s->whole;
}

static int run(struct http_session *s, struct err *e)
{
	for (;;) {
		CURLcode c;
		int r = http_transfer(s, &c, e);

		if (r < 0)
			return r;
		if (s->why.code)
			return err_move(e, &s->why);
		if (s->again) {
			s->from_start = true;
			s->at = s->at_last_failure = 0;
			continue;
		}
		if (is_redirect(s)) {
			r = follow(s, e);
			if (r)
				return r < 0 ? r : 0;
			continue;
		}
		if (!c && s->verdict == HTTP_BODY && !is_whole(s))
			c = CURLE_PARTIAL_FILE;
		/* The page that explains a refusal is of use when half of it is there as well. */
		if (s->without_body || s->refusal || (!c && s->verdict == HTTP_BODY))
			return 0;
		if (!(is_busy(s) || (c && is_broken(s, c))) || !can_try_again(s))
			return give_up(s, c, e);
		wait_before(s, s->tries);
	}
}

static int start(struct http_session *s, struct err *e)
{
	const struct http_request *rq = s->rq;
	int r = http_url_read(NULL, rq->url, &s->url, e);

	if (r < 0)
		return r;
	if (!s->url.https && !rq->allow_http)
		return err_set(e, EPERM, "http is not allowed (see --insecure-options=http)");
	/*
	 * Whoever chose the credentials must have read the same host from the URL as libcurl does.
	 */
	if (rq->auth != HTTP_AUTH_NONE && (!rq->site || strcasecmp(rq->site, s->url.site)))
		return err_set(e, EINVAL, "the URL's host can be read in two ways");
	s->home = true;
	s->credentials = rq->auth != HTTP_AUTH_NONE;
	s->https = s->url.https;
	return s->curl ? 0 : err_set(e, ENOMEM, "curl");
}

void http_client_done(struct http_client *c)
{
	curl_easy_cleanup(c->curl);
	c->curl = NULL;
}

int http_get(struct http_client *c, const struct http_request *rq, struct err *e)
{
	struct http_session s = {
		.rq = rq,
		.redirects = rq->redirects,
		.at = rq->validator || rq->immutable ? rq->offset : 0,
		.validator = xstrdup_null(rq->validator),
		.whole = -1,
	};
	int r;

	http_headers_init(&s.headers);
	s.at_last_failure = s.at;
	if (c->curl)
		curl_easy_reset(c->curl); /* what was said before is forgotten, connections are not */
	else
		c->curl = curl_easy_init();
	s.curl = c->curl;
	r = start(&s, e);
	if (r == 0)
		r = run(&s, e);
	http_headers_done(&s.headers);
	http_url_done(&s.url);
	free(s.validator);
	err_done(&s.why);
	return r;
}
