/*
 * HTTP by libcurl: one file, with everything that may come between: redirects, a connection that
 * breaks, a server that is not ready, a copy of which a part is there already.  And one exchange with
 * a server that wants more to be said than "GET" (a registry).
 *
 * Redirects are followed here and not by libcurl: credentials are for the scheme, host and port
 * that the operator named, and for no other; and whether another hop is allowed is our own
 * decision.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct http_head;

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_BEARER, HTTP_AUTH_AWS };

struct http_request {
	const char *url;
	const char *method; /* NULL: GET; HEAD, POST, PUT, PATCH, DELETE: no redirect is followed but HEAD's */
	const char *accept, *content_type, *content_range; /* or NULL */
	int body;	      /* of a request: body_length bytes of a file; a pipe is sent once */
	uint64_t body_offset, body_length;
	bool allow_http, any_certificate;
	uint64_t max_bytes; /* of the whole file */

	/* Of a copy that we have: if it is right still, the answer is 304. */
	const char *etag, *last_modified;
	/*
	 * Of a copy that we have the first `offset` bytes of: 206 if it is the same still, else
	 * 200.
	 */
	uint64_t offset;
	const char *validator; /* an etag or a date; NULL: from the beginning */

	bool retry;	     /* where a second try may help, and cannot hurt */
	bool accept_later;   /* 202 is an answer: the file is not ready yet */
	bool stop_elsewhere; /* a redirect to another origin is an answer, see http_head */
	bool any_status;     /* so is any other; the body of a refusal is handed on up to a bound */
	/*
	 * What is there never changes (its name is its digest): a part may be asked for without a
	 * validator.
	 */
	bool immutable;
	unsigned redirects;  /* followed already */

	enum http_auth auth;
	const char *user, *password, *region; /* BASIC; BEARER: password; AWS: all three */
	const char *site;     /* "host" or "host:port" of `url` to the caller's understanding */
	const char *auth_dir; /* where they are configured, for messages */

	const void *ca; /* certificates of authorities, PEM; NULL: the system's */
	size_t ca_len;
	const char *ca_dir; /* or the directory of them */
	const char *more_ca; /* PEM: authorities besides those; NULL: none */
	const char *client_cert, *client_key; /* PEM: who we are; or NULL */

	/*
	 * Called once, before the first byte of the body; then for the body.  < 0 with err ends it.
	 */
	int (*on_head)(void *arg, const struct http_head *head, struct err *e);
	int (*on_body)(void *arg, const void *data, size_t len, struct err *e);
	void *arg;
};

struct http_head {
	long status; /* 200, 206; 304; 202; 302: it continues at `url`, of another origin; any_status */
	const char *url;       /* where the redirects led to */
	bool https;	       /* each of them was https */
	unsigned redirects;    /* followed so far */
	const char *etag, *last_modified; /* or NULL */
	const char *validator; /* with which the download can be resumed, or NULL */
	int64_t fresh;	       /* seconds for which it need not be asked for again */
	int64_t length;	       /* of the whole file, or -1 */
	/* Only with any_status: */
	const char *challenge;	  /* WWW-Authenticate, all of them as one list; or NULL */
	const char *content_type; /* or NULL */
	const char *digest;	  /* Docker-Content-Digest, or NULL */
	const char *location;	  /* where a thing was made: an absolute URL, or NULL */
	const char *next;	  /* Link: where the next page is, an absolute URL; or NULL */
	int64_t retry_after;	  /* seconds, or -1 */
};

/* What stays from one request to the next: connections, names, sessions of TLS. */
struct http_client {
	void *curl; /* NULL at first */
};
void http_client_done(struct http_client *c);

int http_get(struct http_client *c, const struct http_request *rq, struct err *e);
