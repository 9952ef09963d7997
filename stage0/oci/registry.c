#include "stage0/oci/registry.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "stage0/context.h"
#include "stage0/oci/ref.h"
#include "stage0/oci/registry_error.h"

#define DOCKER_HOST "registry-1.docker.io" /* where OCI_DEFAULT_REGISTRY is */
#define REFUSAL_MAX (64u << 10)
#define DOCUMENT_MS (300 * 1000) /* for the body of a small answer */

/* --- hosts --- */

static void host_done(struct registry_host *h)
{
	free(h->site);
	free(h->repository);
	free(h->key);
	free(h->ca);
	challenge_done(&h->challenge);
	login_done(&h->login);
	registry_trust_done(&h->trust);
}

static void add_host(struct registry *r, const char *place, const char *name, const struct registry_conf *c)
{
	size_t n = strcspn(place, "/");
	const char *path = place[n] ? place + n + 1 : "";
	struct registry_host *h;

	r->hosts = xgrow(r->hosts, r->n_hosts, sizeof *r->hosts);
	h = &r->hosts[r->n_hosts++];
	*h = (struct registry_host) {
		.site = xstrndup(place, n),
		.repository = xasprintf("%s%s%s", path, *path ? "/" : "", r->repository),
		.key = xstrdup(name),
		.ca = c ? xstrdup_null(c->ca) : NULL,
		.insecure = c && c->insecure,
	};
}

int registry_open(const struct gantry *g, const char *name, const char *repository, enum registry_purpose purpose,
		  struct registry *ret, struct err *e)
{
	_cleanup_registry_confs_ struct registry_conf_list confs = REGISTRY_CONF_LIST_INIT;
	const struct registry_conf *c;
	int r = config_load_registries(g, &confs, e);

	if (r < 0)
		return r;
	*ret = (struct registry) {.g = g, .name = xstrdup(name), .repository = xstrdup(repository)};
	c = registry_conf_for(&confs, name);
	for (size_t i = 0; c && c->mirrors && c->mirrors[i] && purpose == REGISTRY_PULL; i++) {
		_cleanup_free_ char *site = xstrndup(c->mirrors[i], strcspn(c->mirrors[i], "/"));

		add_host(ret, c->mirrors[i], site, registry_conf_for(&confs, site));
	}
	add_host(ret, strcmp(name, OCI_DEFAULT_REGISTRY) ? name : DOCKER_HOST, name, c);
	return 0;
}

void registry_close(struct registry *r)
{
	for (size_t i = 0; i < r->n_hosts; i++)
		host_done(&r->hosts[i]);
	free(r->hosts);
	free(r->name);
	free(r->repository);
	fetchers_done(&r->fetchers);
	*r = (struct registry) {0};
}

int registry_ref_parse(const struct gantry *g, const char *text, struct oci_ref *ret, struct err *e)
{
	_cleanup_registry_confs_ struct registry_conf_list confs = REGISTRY_CONF_LIST_INIT;
	int r = config_load_registries(g, &confs, e);

	return r < 0 ? r : oci_ref_parse(text, registry_conf_default(&confs), ret, e);
}

static int make_ready(struct registry *r, struct registry_host *h, struct err *e)
{
	int n = h->is_ready ? 0 : login_find(r->g, h->key, h->repository, &h->login, e);

	if (n == 0 && !h->is_ready)
		n = registry_trust_find(h->site, h->ca, &h->trust, e);
	h->is_ready = n == 0;
	return n;
}

/* --- answers --- */

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A server that sends a byte now and then keeps its worker content, and would keep us for days. */
static int read_body(int fd, size_t limit, struct strbuf *sb, struct err *e)
{
	int64_t end = now_ms() + DOCUMENT_MS;
	char buf[16384];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = end - now_ms();
		int n = poll(&p, 1, left > 0 ? (int) left : 0);
		ssize_t got;

		if (n == 0)
			return err_set(e, ETIMEDOUT, "the answer does not come to its end");
		got = n < 0 ? -1 : read(fd, buf, sizeof buf);
		if (got < 0 && errno != EINTR)
			return err_sys(e, "read");
		if (got == 0)
			return 0;
		if (got < 0)
			continue;
		if ((size_t) got > limit - sb->len)
			return err_set(e, EFBIG, "it is larger than %zu bytes", limit);
		strbuf_add(sb, buf, (size_t) got);
	}
}

void registry_pass_over(struct download *d)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (read_body(d->pipe, REFUSAL_MAX, &sb, NULL) == 0)
		(void) download_finish(d, NULL);
	download_stop(d);
}

int registry_read(struct download *d, size_t limit, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int r = read_body(d->pipe, limit, &sb, e);

	if (r < 0) {
		download_stop(d);
		return r;
	}
	r = download_finish(d, e);
	if (r < 0)
		return r;
	*ret_len = sb.len;
	*ret = strbuf_take(&sb);
	return 0;
}

static const char *hint_of(const struct registry_host *h, long status)
{
	if (status != 401 && status != 403)
		return NULL;
	return login_is_set(&h->login) ? "it does not take the credentials of" :
					 "no credentials are configured for it";
}

int registry_refused(struct registry *r, struct registry_host *h, struct download *d, struct err *e)
{
	long status = d->head.status;
	int64_t later = d->head.retry_after;
	const char *at = d->head.url ? strstr(d->head.url, "://") : NULL, *hint = hint_of(h, status);
	_cleanup_free_ char *site = at ? xstrndup(at + 3, strcspn(at + 3, "/?#")) : xstrdup(h->site);
	_cleanup_free_ char *text = NULL, *says = NULL;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t len = 0;

	(void) r;
	if (registry_read(d, REFUSAL_MAX, &text, &len, NULL) == 0)
		says = registry_error_text(text, len);
	if (says)
		strbuf_addf(&sb, "%s (HTTP status code %ld)", says, status);
	else
		strbuf_addf(&sb, "HTTP status code %ld", status);
	/* What another host said, to which we were sent, is not about our credentials. */
	if (hint && !strcmp(site, h->site))
		strbuf_addf(&sb, "; %s%s%s", hint, h->login.from ? " " : "", h->login.from ? h->login.from : "");
	if (later > 0)
		strbuf_addf(&sb, "; it asks to come back in %lld seconds", (long long) later);
	return err_set(e, status == 404 ? ENOENT : status == 401 || status == 403 ? EACCES :
			  status == 429 ? EBUSY : EIO, "registry %s: %s", site, sb.buf);
}

/* --- questions --- */

static bool may_http(const struct registry *r, const struct registry_host *h)
{
	return (r->g->insecure & INSECURE_HTTP) || h->insecure;
}

static char *make_url(const struct registry_host *h, const struct registry_question *q, bool https)
{
	return q->url ? xstrdup(q->url) :
			xasprintf("%s://%s/v2/%s/%s", https ? "https" : "http", h->site, h->repository, q->path);
}

static bool is_home(const struct registry_host *h, const char *url, bool https)
{
	_cleanup_free_ char *base = xasprintf("%s://%s/", https ? "https" : "http", h->site);

	return !strncasecmp(url, base, strlen(base));
}

bool registry_is_home(const struct registry_host *h, const char *url)
{
	return h->scheme != HOST_SCHEME_UNKNOWN && is_home(h, url, h->scheme == HOST_HTTPS);
}

static int ask_by(struct registry *r, struct registry_host *h, const struct registry_question *q, bool https,
		  bool retry, const struct auth *auth, struct download *ret, struct err *e)
{
	_cleanup_free_ char *url = make_url(h, q, https);
	/* A Location may lead elsewhere: what is a secret of this host stays with it. */
	bool home = is_home(h, url, https);
	const struct download_exchange x = {
		.method = q->method, .accept = q->accept,
		.content_type = q->content_type, .content_range = q->content_range,
		.body = q->body, .body_offset = q->body_offset, .body_length = q->body_length, .immutable = q->immutable,
		.auth = home ? auth : NULL,
		.allow_http = may_http(r, h), .any_certificate = h->insecure,
		.more_ca = h->trust.more_ca,
		.client_cert = home ? h->trust.client_cert : NULL,
		.client_key = home ? h->trust.client_key : NULL,
		.fetchers = &r->fetchers,
	};
	const struct download_request rq = {
		.g = r->g, .url = url, .max_bytes = q->max_bytes, .offset = q->from, .retry = retry, .exchange = &x};

	return download_start(&rq, ret, e);
}

/*
 * Whether a host speaks TLS is found out by the first question; only where http is allowed does a
 * connection that is refused, or is no TLS, mean something else than an error.
 */
static int ask_scheme(struct registry *r, struct registry_host *h, const struct registry_question *q,
		      const struct auth *auth, struct download *ret, struct err *e)
{
	bool unsure = h->scheme == HOST_SCHEME_UNKNOWN && may_http(r, h), retry;
	struct err why = ERR_INIT;
	int n;

	/* What is sent from a pipe is gone once it was. */
	retry = !q->body_length || lseek(q->body, 0, SEEK_CUR) >= 0;
	if (h->scheme == HOST_HTTP)
		return ask_by(r, h, q, false, retry, auth, ret, e);
	n = ask_by(r, h, q, true, retry && !unsure, auth, ret, &why);
	if (n == 0)
		h->scheme = HOST_HTTPS;
	if (n == -EPROTO && !may_http(r, h))
		err_ctx(&why, n, "no TLS there (for plain http see --insecure-options=http)");
	if (!unsure || (n != -ECONNREFUSED && n != -EPROTO))
		return n < 0 ? err_move(e, &why) : n;
	log_debug("registry %s: no https (%s); http is allowed", h->site, err_text(&why));
	err_done(&why);
	n = ask_by(r, h, q, false, retry, auth, ret, e);
	if (n == 0)
		h->scheme = HOST_HTTP;
	return n;
}

/* What to say for ourselves; *ret_any: there is something. `token` is owned by the caller. */
static int choose_auth(struct registry *r, struct registry_host *h, const struct registry_question *q, bool renew,
		       char **token, struct auth *ret, bool *ret_any, struct err *e)
{
	int n = registry_token(r, h, q, renew, token, e);

	*ret_any = false;
	if (n < 0)
		return n;
	if (!*token && h->challenge.basic && h->login.registry_token)
		*token = xstrdup(h->login.registry_token);
	if (*token)
		*ret = (struct auth) {.type = AUTH_OAUTH, .token = *token};
	else if (h->challenge.basic && h->login.user)
		*ret = (struct auth) {.type = AUTH_BASIC, .user = h->login.user, .password = h->login.password};
	else
		return 0;
	*ret_any = true;
	return 0;
}

static int ask_once(struct registry *r, struct registry_host *h, const struct registry_question *q, bool renew,
		    bool *ret_any, struct download *ret, struct err *e)
{
	struct auth auth = {0};
	char *token = NULL;
	int n = choose_auth(r, h, q, renew, &token, &auth, ret_any, e);

	if (n == 0)
		n = ask_scheme(r, h, q, *ret_any ? &auth : NULL, ret, e);
	secret_free(token);
	return n;
}

/* 1: with this challenge another answer may come. */
static int take_challenge(struct registry_host *h, const struct download *d, bool said, struct err *e)
{
	struct challenge c = {0};
	int r;

	if (!d->head.challenge)
		return 0;
	r = challenge_parse(d->head.challenge, &c, e);
	if (r < 0)
		return r;
	challenge_done(&h->challenge);
	h->challenge = c;
	/* A name and a password that were wrong stay so. */
	return c.bearer || (c.basic && login_is_set(&h->login) && !said);
}

int registry_ask(struct registry *r, struct registry_host *h, const struct registry_question *q, struct download *ret,
		 struct err *e)
{
	bool said = false, again_said;
	int n = make_ready(r, h, e);

	if (n == 0)
		n = ask_once(r, h, q, false, &said, ret, e);
	if (n == 0 && ret->head.status == 401 && (!q->body_length || lseek(q->body, 0, SEEK_CUR) >= 0)) {
		n = take_challenge(h, ret, said, e);
		if (n == 1) {
			registry_pass_over(ret);
			*ret = (struct download) DOWNLOAD_INIT;
			n = ask_once(r, h, q, said, &again_said, ret, e);
		}
		if (n < 0)
			download_stop(ret);
	}
	return n < 0 ? err_ctx(e, n, "registry %s", h->site) : 0;
}
