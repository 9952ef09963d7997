/*
 * Private to http*.c: a download in progress.
 */
#pragma once

#include <curl/curl.h>
#include <string.h>

#include "stage0/worker/http.h"
#include "stage0/worker/http_header.h"
#include "stage0/worker/http_url.h"

enum http_verdict {
	HTTP_UNDECIDED, /* the headers are not over */
	HTTP_BODY,	/* handed on */
	HTTP_IGNORE,	/* the page that explains an error or a redirect */
};

struct http_session {
	const struct http_request *rq;
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	struct http_url url; /* where we are */
	bool home;	     /* it is the origin that was asked for */
	bool credentials;    /* we still are where they are for */
	bool https;
	unsigned redirects;

	struct http_headers headers;
	uint64_t header_bytes, ignored;
	uint64_t sent;	   /* bytes of the request's body */
	enum http_verdict verdict;
	bool asked;	   /* this request is for a part */
	bool refusal;	   /* any_status: what comes is the page that explains an error */
	unsigned tries;	   /* that failed since the last progress */
	bool from_start;   /* the part that we have is of no use */
	bool again;	   /* this answer was none: ask from the start */
	bool accepted;	   /* on_head() was called */
	bool without_body; /* and that was all */
	uint64_t at, at_last_failure; /* bytes of the file that are there */
	uint64_t skip;	   /* bytes that come once more */
	char *validator;   /* of these bytes, or NULL */
	int64_t whole;	   /* length of the file, or -1 */
	struct err why;	   /* of what our own functions refused */
};

/* Another try of a server that is busy, if it stays so: is there one left? */
bool http_is_busy(const struct http_session *s);
/* The rest may be asked for. */
static inline bool http_can_resume(const struct http_session *s)
{
	return s->validator || s->rq->immutable;
}
static inline bool http_is_get(const struct http_request *rq)
{
	return !rq->method || !strcmp(rq->method, "GET");
}
static inline bool http_is_head(const struct http_request *rq)
{
	return rq->method && !strcmp(rq->method, "HEAD");
}

/* One request and its answer; the result is libcurl's. */
int http_transfer(struct http_session *s, CURLcode *ret, struct err *e);
