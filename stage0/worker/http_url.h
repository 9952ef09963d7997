/*
 * URLs of a download: where they lead, and whether two are of one origin (RFC 6454), to libcurl's
 * understanding, which is the one that counts: it makes the connection.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct http_url {
	char *text;	     /* the whole, without user, password and fragment */
	char *scheme, *host; /* lower case */
	char *port;	     /* the scheme's own where none is given */
	char *site;	     /* "host", or "host:port" when a port is given */
	bool https;
};

/*
 * `base` NULL: an absolute URL, without user and password.  Else a redirect's Location, which may
 * be relative.  -EPERM: neither http nor https.
 */
int http_url_read(const char *base, const char *text, struct http_url *ret, struct err *e);
bool http_url_same_origin(const struct http_url *a, const struct http_url *b);
void http_url_done(struct http_url *u);
#define _cleanup_http_url_ __attribute__((cleanup(http_url_done)))
