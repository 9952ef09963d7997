#include "stage0/image/credentials.h"

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "stage0/image/download.h"

/*
 * "scheme://user:password@host:port/..." : where the authority begins, how long it is, and its '@'.
 */
struct authority {
	const char *begin, *at; /* at: NULL when there is no user */
	size_t len;
};

static int find_authority(const char *url, struct authority *ret)
{
	const char *p = strstr(url, "://");

	if (!p)
		return -EINVAL;
	ret->begin = p + 3;
	ret->len = strcspn(ret->begin, "/?#");
	ret->at = memrchr(ret->begin, '@', ret->len);
	return 0;
}

char *url_shown(const char *url)
{
	struct authority a;

	if (find_authority(url, &a) < 0 || !a.at)
		return xstrdup(url);
	return xasprintf("%.*s%s", (int) (a.begin - url), url, a.at + 1);
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c | 0x20) : NULL;

	return p ? (int) (p - digits) : -1;
}

/* %-decoded; NULL when that gives a control character, which could end a header. */
static char *decode(const char *s, size_t len)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '%' && i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			c = (char) (hex(s[i + 1]) * 16 + hex(s[i + 2]));
			i += 2;
		}
		if ((unsigned char) c < ' ' || c == 0x7f)
			return NULL;
		strbuf_addc(&sb, c);
	}
	return strbuf_take(&sb);
}

static int take_apart(struct credentials *c, const char *url, struct err *e)
{
	struct authority a;
	const char *host, *colon;

	if (find_authority(url, &a) < 0)
		return err_set(e, EINVAL, "malformed URL");
	free(c->url);
	free(c->site);
	c->url = url_shown(url);
	host = a.at ? a.at + 1 : a.begin;
	c->site = xstrndup(host, a.len - (size_t) (host - a.begin));
	if (!a.at)
		return 0;
	colon = memchr(a.begin, ':', (size_t) (a.at - a.begin));
	c->of_url = (struct auth) {.type = AUTH_BASIC};
	c->of_url.user = decode(a.begin, (size_t) ((colon ? colon : a.at) - a.begin));
	c->of_url.password = colon ? decode(colon + 1, (size_t) (a.at - colon - 1)) : xstrdup("");
	if (!c->of_url.user || !c->of_url.password)
		return err_set(e, EINVAL, "malformed user or password in the URL");
	return 0;
}

static void use(struct credentials *c, const struct auth *auth)
{
	c->auth = auth;
	if (auth && c->n_used < ELEMENTSOF(c->used))
		c->used[c->n_used++] = auth;
}

int credentials_for(const struct gantry *g, const char *url, struct credentials *ret, struct err *e)
{
	int r = take_apart(ret, url, e);

	if (r == 0)
		r = config_load_auth(g, &ret->list, e);
	if (r < 0)
		return r;
	use(ret, ret->of_url.user ? &ret->of_url : auth_for(&ret->list, ret->site));
	return 0;
}

int credentials_given(const char *url, const struct auth *auth, struct credentials *ret, struct err *e)
{
	struct authority a;
	int r = find_authority(url, &a) < 0 || a.at ? err_set(e, EINVAL, "malformed URL") :
						      take_apart(ret, url, e);

	if (r == 0)
		use(ret, auth);
	return r;
}

int credentials_follow(struct credentials *c, const char *url, struct err *e)
{
	bool was_https = str_starts(c->url, "https://"), is_https = str_starts(url, "https://");
	const struct auth *auth;
	struct authority a;
	int r;

	if (!is_https && !str_starts(url, "http://"))
		return err_set(e, EPROTO, "a redirect to %s", q(url));
	r = find_authority(url, &a) < 0 || a.at ?
		    err_set(e, EPROTO, "a redirect to a malformed URL") :
		    take_apart(c, url, e);
	if (r < 0)
		return r;
	auth = auth_for(&c->list, c->site);
	for (size_t i = 0; auth && i < c->n_used; i++)
		if (c->used[i] == auth)
			auth = NULL;
	use(c, was_https && !is_https ? NULL : auth);
	return 0;
}

void credentials_done(struct credentials *c)
{
	auth_done(&c->list);
	secret_free(c->of_url.user);
	secret_free(c->of_url.password);
	free(c->url);
	free(c->site);
	*c = (struct credentials) {0};
}
