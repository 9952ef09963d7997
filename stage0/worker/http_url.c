#include "stage0/worker/http_url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

void http_url_done(struct http_url *u)
{
	free(u->text);
	free(u->scheme);
	free(u->host);
	free(u->port);
	free(u->site);
	*u = (struct http_url) {0};
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
	return !strcmp(a->scheme, b->scheme) && !strcmp(a->host, b->host) &&
	       !strcmp(a->port, b->port);
}

/* A part, owned by the caller; NULL when there is none. */
static char *get(CURLU *u, CURLUPart part, unsigned flags)
{
	char *value = NULL, *copy = NULL;

	if (curl_url_get(u, part, &value, flags) == CURLUE_OK)
		copy = xstrdup_null(value);
	curl_free(value);
	return copy;
}

static char *lower(char *s)
{
	for (char *p = s; p && *p; p++)
		*p = (char) tolower((unsigned char) *p);
	return s;
}

static int bad_scheme(bool redirect, struct err *e)
{
	return err_set(e, EPERM, "a %s to a scheme that is not allowed",
		       redirect ? "redirect" : "URL");
}

static int take_apart(CURLU *u, bool redirect, struct http_url *ret, struct err *e)
{
	_cleanup_free_ char *given = get(u, CURLUPART_PORT, 0);

	*ret = (struct http_url) {
		.text = get(u, CURLUPART_URL, 0),
		.scheme = lower(get(u, CURLUPART_SCHEME, 0)),
		.host = lower(get(u, CURLUPART_HOST, 0)),
		.port = get(u, CURLUPART_PORT, CURLU_DEFAULT_PORT),
	};
	if (ret->scheme && strcmp(ret->scheme, "https") && strcmp(ret->scheme, "http")) {
		http_url_done(ret);
		return bad_scheme(redirect, e);
	}
	if (!ret->text || !ret->scheme || !ret->host || !ret->port) {
		http_url_done(ret);
		return err_set(e, EINVAL, "malformed URL");
	}
	ret->site = given ? xasprintf("%s:%s", ret->host, given) : xstrdup(ret->host);
	ret->https = !strcmp(ret->scheme, "https");
	return 0;
}

int http_url_read(const char *base, const char *text, struct http_url *ret, struct err *e)
{
	CURLU *u = curl_url();
	CURLUcode c;
	int r;

	if (!u)
		return err_set(e, ENOMEM, "curl");
	c = curl_url_set(u, CURLUPART_URL, base ? base : text, CURLU_DISALLOW_USER);
	if (!c && base)
		c = curl_url_set(u, CURLUPART_URL, text, CURLU_URLENCODE | CURLU_ALLOW_SPACE);
	/* What a redirect brings along is no operator's credentials. */
	if (!c)
		c = curl_url_set(u, CURLUPART_USER, NULL, 0);
	if (!c)
		c = curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	if (!c)
		c = curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	if (c == CURLUE_UNSUPPORTED_SCHEME)
		r = bad_scheme(base, e);
	else
		r = c ? err_set(e, EINVAL, "malformed URL%s: %s", base ? " in a redirect" : "",
				curl_url_strerror(c)) :
			take_apart(u, base, ret, e);
	curl_url_cleanup(u);
	return r;
}
