/*
 * What the headers of an HTTP answer say: foreign bytes, read line by line, without libcurl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_VALUE_MAX 512   /* bytes of an etag or a date: they are kept and sent back */
#define HTTP_LOCATION_MAX 8192
#define HTTP_CHALLENGE_MAX 8192
#define HTTP_AGE_MAX INT32_MAX /* RFC 9111 section 1.2.2: what is larger counts as 2^31 */

struct http_headers {
	long status;		    /* of the last status line; 0: none yet */
	char *etag, *last_modified; /* as they came, or NULL */
	char *location;		    /* or NULL */
	char *challenge;	    /* WWW-Authenticate, several as one list (RFC 9110 section 5.3); or NULL */
	char *content_type, *digest; /* Docker-Content-Digest; or NULL */
	char *link;		     /* several as one list; or NULL */
	int64_t length;		    /* Content-Length, or -1 */
	/* Content-Range of a 206: all three, total -1 for "*"; first -1: there is none */
	int64_t first, last, total;
	int64_t retry_after; /* seconds from now, or -1 */
	/* for http_headers_fresh() */
	int64_t date, expires; /* seconds since the epoch, or -1; expires 0: malformed, or past */
	int64_t max_age, age;  /* seconds, or -1 */
	bool no_cache;
};

void http_headers_init(struct http_headers *h);
void http_headers_done(struct http_headers *h);
/*
 * One line with or without its CRLF.  A status line forgets what came before.  `now`: for
 * Retry-After.
 */
void http_headers_line(struct http_headers *h, const char *line, size_t len, int64_t now);
/* How many seconds the answer may be used without asking again (RFC 9111 section 4.2). */
int64_t http_headers_fresh(const struct http_headers *h);
/*
 * What If-Range may name (RFC 9110 section 13.1.5): the etag unless it is a weak one, else the date
 * if it is strong, that is, older than the answer by a second; NULL: there is none.  Borrowed.
 */
const char *http_headers_validator(const struct http_headers *h);
/* The date of a header, IMF-fixdate; -1. */
int64_t http_date(const char *s);
