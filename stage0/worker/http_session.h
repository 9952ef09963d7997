/*
 * Private to http*.c: a download in progress.
 */
#pragma once

#include <curl/curl.h>

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
	bool credentials;    /* we still are where they are for */
	bool https;
	unsigned redirects;

	struct http_headers headers;
	uint64_t header_bytes, ignored;
	enum http_verdict verdict;
	bool asked;	   /* this request is for a part */
	bool from_start;   /* the part that we have is of no use */
	bool again;	   /* this answer was none: ask from the start */
	bool accepted;	   /* on_head() was called */
	bool without_body; /* and that was all */
	uint64_t at, at_last_failure; /* bytes of the file that are there */
	char *validator;   /* of these bytes, or NULL */
	int64_t whole;	   /* length of the file, or -1 */
	struct err why;	   /* of what our own functions refused */
};

/* One request and its answer; the result is libcurl's. */
int http_transfer(struct http_session *s, CURLcode *ret, struct err *e);
