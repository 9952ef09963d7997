#include "stage0/service/answer.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/service/form.h"
#include "stage0/service/route.h"
#include "stage0/service/sign.h"

#define TYPE_TEXT "text/plain; charset=us-ascii"
#define TYPE_JSON "application/json"

static void fill(struct answer *a, unsigned status, const char *type, const char *body, size_t len)
{
	a->status = status;
	a->type = type;
	a->body = xmemdup(body, len);
	a->len = len;
}

static void text(struct answer *a, unsigned status, const char *body)
{
	fill(a, status, TYPE_TEXT, body, strlen(body));
}

static void refuse(struct answer *a, unsigned status, const char *why)
{
	_cleanup_free_ char *line = xasprintf("%s\n", why);

	text(a, status, line);
}

static bool allowed(struct answer *a, const struct request *rq, const char *methods)
{
	_cleanup_strv_ char **v = strv_split(methods, ' ');

	if (strv_has(v, rq->method))
		return true;
	a->allow = !strcmp(methods, "POST")	  ? "POST"
		   : !strcmp(methods, "GET HEAD") ? "GET, HEAD"
						  : "PUT, DELETE";
	refuse(a, 405, "method not allowed");
	return false;
}

/* A form of the one kind that is read here; clients without a Content-Type mean it, too. */
static bool is_form(const struct request *rq)
{
	static const char type[] = "application/x-www-form-urlencoded";
	size_t n = rq->content_type ? strcspn(rq->content_type, "; \t") : 0;

	return !rq->content_type || (n == strlen(type) && !strncasecmp(rq->content_type, type, n));
}

static void do_sign(const struct registry *reg, const struct registered_pod *p,
		    const struct request *rq, struct answer *a)
{
	char signature[SIGN_TEXT_LEN + 1];
	size_t len;
	_cleanup_free_ char *content = form_get(rq->body, rq->len, "content", &len);

	if (!content) {
		refuse(a, 400, "form field content is missing");
		return;
	}
	sign_content(reg->key, sizeof reg->key, p->uuid, content, len, signature);
	text(a, 200, signature);
}

static void do_verify(const struct registry *reg, const struct request *rq, struct answer *a)
{
	size_t len, uuid_len, sig_len;
	_cleanup_free_ char *content = form_get(rq->body, rq->len, "content", &len);
	_cleanup_free_ char *uuid = form_get(rq->body, rq->len, "uuid", &uuid_len);
	_cleanup_free_ char *signature = form_get(rq->body, rq->len, "signature", &sig_len);

	if (!content || !uuid || !signature) {
		refuse(a, 400, "form fields content, uuid and signature are needed");
		return;
	}
	if (strlen(uuid) != uuid_len || uuid_check(uuid)) {
		refuse(a, 400, "uuid is not a UUID");
		return;
	}
	/* A pod that is gone may still have signed: only the key decides. */
	if (strlen(signature) == sig_len &&
	    sign_verify(reg->key, sizeof reg->key, uuid, content, len, signature))
		text(a, 200, "");
	else
		refuse(a, 403, "the signature is not of this pod and content");
}

static void do_post(struct registry *reg, const struct registered_pod *p, const struct route *r,
		    const struct request *rq, struct answer *a)
{
	if (!allowed(a, rq, "POST"))
		return;
	if (!is_form(rq))
		refuse(a, 415, "not application/x-www-form-urlencoded");
	else if (rq->len > ANSWER_FORM_MAX)
		refuse(a, 413, "the form is too large");
	else if (r->what == ROUTE_SIGN)
		do_sign(reg, p, rq, a);
	else
		do_verify(reg, rq, a);
}

static void of_pod(const struct registered_pod *p, enum route_what what, struct answer *a)
{
	switch (what) {
	case ROUTE_POD_ANNOTATIONS:
		fill(a, 200, TYPE_JSON, p->annotations, strlen(p->annotations));
		break;
	case ROUTE_POD_MANIFEST:
		fill(a, 200, TYPE_JSON, p->manifest, p->len);
		break;
	default:
		text(a, 200, p->uuid);
	}
}

static void of_app(const struct registered_pod *p, const struct route *r, struct answer *a)
{
	const struct registered_app *app = registered_app(p, r->app);

	if (!app)
		refuse(a, 404, "no such app");
	else if (r->what == ROUTE_APP_ANNOTATIONS)
		fill(a, 200, TYPE_JSON, app->annotations, strlen(app->annotations));
	else if (r->what == ROUTE_APP_MANIFEST)
		fill(a, 200, TYPE_JSON, app->manifest, app->len);
	else
		text(a, 200, app->image_id);
}

void answer_public(struct registry *reg, const struct request *rq, struct answer *ret)
{
	const struct registered_pod *p;
	struct route r;

	*ret = (struct answer) {0};
	route_public(rq->path, &r);
	p = registry_by_token(reg, r.token);
	if (!p)
		refuse(ret, 401, "unknown token");
	else if (r.what == ROUTE_NONE)
		refuse(ret, 404, "no such resource");
	else if (r.what == ROUTE_SIGN || r.what == ROUTE_VERIFY)
		do_post(reg, p, &r, rq, ret);
	else if (allowed(ret, rq, "GET HEAD")) {
		if (r.what == ROUTE_APP_ANNOTATIONS || r.what == ROUTE_APP_MANIFEST ||
		    r.what == ROUTE_APP_ID)
			of_app(p, &r, ret);
		else
			of_pod(p, r.what, ret);
	}
}

static unsigned status_of(int r)
{
	return r == 0 ? 200 : r == -ENOENT ? 404 : r == -EINVAL ? 400 : r == -ENOSPC ? 507 : 500;
}

void answer_registration(struct registry *reg, unsigned port, const struct request *rq,
			 struct answer *ret)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *done = NULL;
	struct route r;
	int res;

	*ret = (struct answer) {0};
	route_registration(rq->path, &r);
	if (r.what == ROUTE_NONE) {
		refuse(ret, 404, "no such resource");
		return;
	}
	if (!allowed(ret, rq, "PUT DELETE"))
		return;
	if (!strcmp(rq->method, "DELETE")) {
		res = r.what == ROUTE_APP ? err_set(&e, EINVAL, "an app goes with its pod")
					  : registry_remove(reg, r.uuid);
		if (res == -ENOENT)
			err_set(&e, ENOENT, "pod %s is not registered", r.uuid);
	} else if (r.what == ROUTE_APP) {
		res = registry_put_app(reg, r.uuid, r.app, rq->body, rq->len, &e);
	} else {
		res = registry_put_pod(reg, r.uuid, rq->token ? rq->token : "", rq->data_dir,
				       rq->body, rq->len, &e);
	}
	if (res < 0) {
		log_warning("%s %s%s%s: %s", rq->method, r.uuid, *r.app ? "/" : "", r.app,
			    err_text(&e));
		refuse(ret, status_of(res), err_text(&e));
		return;
	}
	log_debug("%s %s%s%s", rq->method, r.uuid, *r.app ? "/" : "", r.app);
	done = xasprintf("port=%u\n", port);
	text(ret, 200, done);
}
