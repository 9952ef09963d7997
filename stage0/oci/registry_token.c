/*
 * Tokens: who may do what in a repository for some minutes, from the server that the registry names
 * (distribution, "Token Authentication Specification").
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/oci/registry.h"
#include "stage0/oci/registry_error.h"

#define TOKEN_MAX (64u << 10)	 /* bytes of one */
#define ANSWER_MAX (256u << 10)	 /* of the document around it */
#define TOKEN_SECONDS 60	 /* when the server does not say */
#define TOKEN_MARGIN 5		 /* seconds before its end in which it is not used any more */
#define TOKENS_MAX 64
#define CLIENT_ID "gantry"

/* --- what this process has --- */

static struct token {
	char *key, *text;
	int64_t end; /* seconds of CLOCK_BOOTTIME */
} tokens[TOKENS_MAX];
static size_t n_tokens;

static int64_t now(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

static char *remembered(const char *key)
{
	for (size_t i = 0; i < n_tokens; i++)
		if (!strcmp(tokens[i].key, key) && now() < tokens[i].end)
			return xstrdup(tokens[i].text);
	return NULL;
}

static void remember(const char *key, const char *text, int64_t seconds)
{
	static size_t next;
	size_t i = 0;

	while (i < n_tokens && strcmp(tokens[i].key, key))
		i++;
	if (i == n_tokens && n_tokens < TOKENS_MAX)
		n_tokens++;
	else if (i == n_tokens)
		i = next++ % TOKENS_MAX;
	free(tokens[i].key);
	secret_free(tokens[i].text);
	tokens[i] = (struct token) {.key = xstrdup(key), .text = xstrdup(text), .end = now() + seconds - TOKEN_MARGIN};
}

/* --- what is asked for --- */

static void add_encoded(struct strbuf *sb, const char *s)
{
	for (; *s; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
		    strchr("-._~", *s))
			strbuf_addc(sb, *s);
		else
			strbuf_addf(sb, "%%%02X", (unsigned) (unsigned char) *s);
	}
}

static void add_pair(struct strbuf *sb, const char *key, const char *value)
{
	if (sb->len && sb->buf[sb->len - 1] != '?')
		strbuf_addc(sb, '&');
	strbuf_addf(sb, "%s=", key);
	add_encoded(sb, value);
}

/* What the registry says that it wants, and what we do. */
static char **make_scopes(const struct registry_host *h, const struct registry_question *q)
{
	_cleanup_strv_ char **theirs = h->challenge.scope ? strv_split(h->challenge.scope, ' ') : NULL;
	_cleanup_free_ char *ours = xasprintf("repository:%s:%s", h->repository, q->actions ? q->actions : "pull");
	char **scopes = NULL;

	strv_add(&scopes, ours);
	if (q->mount_from)
		strv_push(&scopes, xasprintf("repository:%s:pull", q->mount_from));
	for (size_t i = 0; theirs && theirs[i]; i++)
		if (*theirs[i] && !strv_has(scopes, theirs[i]))
			strv_add(&scopes, theirs[i]);
	return scopes;
}

static char *make_url(const struct challenge *c, char *const *scopes)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, c->realm);
	if (!strchr(c->realm, '?'))
		strbuf_addc(&sb, '?');
	if (c->service)
		add_pair(&sb, "service", c->service);
	for (size_t i = 0; scopes[i]; i++)
		add_pair(&sb, "scope", scopes[i]);
	return strbuf_take(&sb);
}

static int make_form(const struct registry_host *h, char *const *scopes, int *ret_fd, uint64_t *ret_len, struct err *e)
{
	_cleanup_free_ char *scope = strv_join(scopes, " ");
	struct strbuf sb = STRBUF_INIT;

	add_pair(&sb, "grant_type", "refresh_token");
	if (h->challenge.service)
		add_pair(&sb, "service", h->challenge.service);
	add_pair(&sb, "client_id", CLIENT_ID);
	add_pair(&sb, "scope", scope);
	add_pair(&sb, "refresh_token", h->login.identity_token);
	*ret_len = sb.len;
	*ret_fd = fd_sealed("form", sb.buf, sb.len, e);
	explicit_bzero(sb.buf, sb.len);
	strbuf_done(&sb);
	return *ret_fd < 0 ? *ret_fd : 0;
}

/* --- the answer --- */

int registry_token_parse(const char *text, size_t len, char **ret, int64_t *ret_seconds, struct err *e)
{
	_cleanup_json_ cJSON *doc = json_parse(text, len, ANSWER_MAX, e);
	const char *token;
	const cJSON *seconds;
	int64_t n = 0;

	if (!doc || json_is_object(doc, JSON_TOP, e) < 0)
		return -EINVAL;
	token = json_get_str(doc, "token");
	if (!token || !*token)
		token = json_get_str(doc, "access_token");
	if (!token || !*token)
		return err_set(e, EINVAL, "neither token nor access_token is in it");
	if (strlen(token) > TOKEN_MAX)
		return err_set(e, EFBIG, "its token is longer than %u bytes", TOKEN_MAX);
	for (const char *p = token; *p; p++)
		if (*p <= ' ' || *p > '~') /* it becomes a header */
			return err_set(e, EINVAL, "its token has characters that no token has");
	seconds = json_get(doc, "expires_in");
	/* "For compatibility with older clients, a token should never be returned with less than 60 seconds to live." */
	if (!seconds || json_int(seconds, JSON_TOP, 0, INT32_MAX, &n, NULL) < 0 || n < TOKEN_SECONDS)
		n = TOKEN_SECONDS;
	*ret = xstrdup(token);
	*ret_seconds = n;
	return 0;
}

static int read_token(struct download *d, char **ret, int64_t *ret_seconds, struct err *e)
{
	_cleanup_free_ char *text = NULL, *says = NULL;
	long status = d->head.status;
	size_t len = 0;
	int r = registry_read(d, ANSWER_MAX, &text, &len, e);

	if (r < 0)
		return r;
	if (status == 200) {
		r = registry_token_parse(text, len, ret, ret_seconds, e);
		explicit_bzero(text, len);
		return r;
	}
	says = registry_error_text(text, len);
	return err_set(e, status == 401 || status == 403 ? EACCES : EIO, "HTTP status code %ld%s%s", status,
		       says ? ": " : "", says ? says : "");
}

static int check_realm(const struct registry_host *h, struct err *e)
{
	const char *realm = h->challenge.realm;
	bool https = str_starts(realm, "https://");
	size_t scheme = https ? 8 : 7, n;

	if (!https && !str_starts(realm, "http://"))
		return err_set(e, EPERM, "the token server %s is no https URL", q(realm));
	n = strcspn(realm + scheme, "/?#");
	if (!n || memchr(realm + scheme, '@', n) || strpbrk(realm, " \t\r\n#"))
		return err_set(e, EINVAL, "the token server %s: malformed URL", q(realm));
	if (!https && h->scheme != HOST_HTTP)
		return err_set(e, EPERM, "the token server %s would be told secrets over plain http", q(realm));
	return 0;
}

static int ask(struct registry *r, struct registry_host *h, char *const *scopes, char **ret, int64_t *ret_seconds,
	       struct err *e)
{
	const char *host = strstr(h->challenge.realm, "://") + 3;
	_cleanup_free_ char *url = h->login.identity_token ? xstrdup(h->challenge.realm) :
							      make_url(&h->challenge, scopes);
	_cleanup_free_ char *site = xstrndup(host, strcspn(host, "/?#"));
	_cleanup_registry_trust_ struct registry_trust trust = {0};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	_cleanup_fd_ int form = -EBADF;
	struct auth auth = {.type = AUTH_BASIC, .user = h->login.user, .password = h->login.password};
	struct download_exchange x = {
		.body = -EBADF, .accept = "application/json", .allow_http = h->scheme == HOST_HTTP,
		.any_certificate = h->insecure, .fetchers = &r->fetchers,
		.auth = h->login.user && !h->login.identity_token ? &auth : NULL,
	};
	const struct download_request rq = {
		.g = r->g, .url = url, .max_bytes = ANSWER_MAX, .retry = true, .exchange = &x};
	int n = registry_trust_find(site, h->ca, &trust, e);

	x.more_ca = trust.more_ca;
	x.client_cert = trust.client_cert;
	x.client_key = trust.client_key;
	if (n == 0 && h->login.identity_token) {
		n = make_form(h, scopes, &form, &x.body_length, e);
		x.body = form;
		x.method = "POST";
		x.content_type = "application/x-www-form-urlencoded";
	}
	if (n == 0)
		n = download_start(&rq, &d, e);
	if (n == 0)
		n = read_token(&d, ret, ret_seconds, e);
	if (n < 0)
		return err_ctx(e, n, "token server %s%s%s", site, h->login.from ? ", with the credentials of " : "",
			       h->login.from ? h->login.from : "");
	return 0;
}

int registry_token(struct registry *r, struct registry_host *h, const struct registry_question *q, bool renew,
		   char **ret, struct err *e)
{
	_cleanup_strv_ char **scopes = make_scopes(h, q);
	_cleanup_free_ char *key = NULL, *joined = NULL;
	int64_t seconds;
	int n;

	*ret = NULL;
	if (!h->challenge.bearer)
		return 0;
	joined = strv_join(scopes, " ");
	/* Tokens of one user are none of another's. */
	key = xasprintf("%s|%s|%s|%s|%s", h->challenge.realm, h->challenge.service ? h->challenge.service : "", joined,
			h->login.from ? h->login.from : "", h->login.user ? h->login.user : "");
	*ret = renew ? NULL : remembered(key);
	if (*ret)
		return 0;
	n = check_realm(h, e);
	if (n == 0)
		n = ask(r, h, scopes, ret, &seconds, e);
	if (n == 0)
		remember(key, *ret, seconds);
	return n;
}
