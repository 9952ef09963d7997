/*
 * An image's name to an image in the store: the store itself, and discovery.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "spec/well_known.h"
#include "stage0/discovery/discovery.h"
#include "stage0/image/internal.h"
#include "stage0/trust/discover.h"

static int load_manifest(int store, const char *id, struct image_manifest **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = store_manifest(store, id, &text, &len, e);

	if (r < 0)
		return r;
	*ret = image_manifest_parse(text, len, e);
	return *ret ? 0 : err_ctx(e, -EINVAL, "image %s", id);
}

static bool is_for(const struct image_manifest *m, const char *label, const char *host)
{
	const char *value = nameval_get(&m->labels, label);

	return !value || !strcmp(value, host);
}

/*
 * Among several of one name this machine's, then one that does not say; rkt takes none but this
 * machine's.  Who asks for another os or arch gets what he asked for.
 */
int image_name_in_store(int store, const struct image_ref *ref, char **ret_id, struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	struct dependency want = {.image_name = ref->location};
	_cleanup_free_ char *id = NULL;
	int r;

	nameval_copy(&want.labels, &ref->labels);
	if (!nameval_get(&ref->labels, "os"))
		nameval_set(&want.labels, "os", "linux");
	if (!nameval_get(&ref->labels, "arch"))
		nameval_set(&want.labels, "arch", well_known_host_arch());
	r = store_find_dependency(store, NULL, &want, &id, e);
	nameval_done(&want.labels);
	if (r != -ENOENT) {
		*ret_id = take_ptr(id);
		return r;
	}
	want.labels = ref->labels;
	r = store_find_dependency(store, NULL, &want, &id, e);
	if (r == 0)
		r = load_manifest(store, id, &m, e);
	if (r < 0)
		return r;
	if ((!nameval_get(&ref->labels, "os") && !is_for(m, "os", "linux")) ||
	    (!nameval_get(&ref->labels, "arch") && !is_for(m, "arch", well_known_host_arch())))
		return err_set(e, ENOENT, "%s is in the store for another os or arch only",
			       q(ref->text));
	*ret_id = take_ptr(id);
	return 0;
}

/*
 * What an endpoint gave must be what was asked for, also when the answer came out of the store.
 * Where no os or arch was asked for, it must not be another machine's.
 */
static int check_identity(const struct request *rq, const struct image_ref *ref, const char *id,
			  struct err *e)
{
	_cleanup_image_manifest_ struct image_manifest *m = NULL;
	int r = load_manifest(rq->store, id, &m, e);

	if (r < 0)
		return r;
	if (strcmp(m->name, ref->location))
		return err_set(e, EINVAL, "the image's name is %s, not %s", q(m->name),
			       q(ref->location));
	for (size_t i = 0; i < ref->labels.n; i++) {
		const struct nameval *want = &ref->labels.v[i];
		const char *value = nameval_get(&m->labels, want->name);

		if (!str_eq(value, want->value))
			return err_set(e, EINVAL, "the image's label %s is %s, not %s", want->name,
				       q(value), q(want->value));
	}
	if (nameval_get(&ref->labels, "os") || is_for(m, "os", "linux"))
		if (nameval_get(&ref->labels, "arch") || is_for(m, "arch", well_known_host_arch()))
			return 0;
	return err_set(e, EINVAL, "the image is for %s %s", q(nameval_get(&m->labels, "os")),
		       q(nameval_get(&m->labels, "arch")));
}

static int from_endpoint(const struct request *rq, const struct image_ref *ref,
			 const struct endpoint *ep, char **ret_id, struct err *e)
{
	_cleanup_free_ char *id = NULL;
	struct request at = *rq;
	int r;

	/* What the URL gave before is worth an etag, and no more: the name is to be asked for. */
	at.policy = PULL_UPDATE;
	at.location = ep->image;
	at.signature_url = ep->signature;
	at.expect = ref;
	r = image_from_url(&at, &id, e);
	if (r == 0)
		r = check_identity(rq, ref, id, e);
	if (r == 0)
		*ret_id = take_ptr(id);
	return r;
}

/* One after the other, since each may be down, behind, or wrong; the error names all of them. */
static int from_endpoints(const struct request *rq, const struct image_ref *ref,
			  const struct endpoints *all, char **ret_id, struct err *e)
{
	_cleanup_strbuf_ struct strbuf tried = STRBUF_INIT;
	int r = -ENOENT;

	for (size_t i = 0; i < all->n; i++) {
		_cleanup_err_ struct err why = ERR_INIT;
		const char *url = all->v[i].image;

		r = from_endpoint(rq, ref, &all->v[i], ret_id, &why);
		if (r == 0)
			return 0;
		if (i + 1 < all->n)
			log_debug("image: %s: %s; trying the next of %zu endpoints", url,
				  err_text(&why), all->n);
		/* What happened there is often told with the URL already. */
		if (strstr(err_text(&why), url))
			strbuf_addf(&tried, "%s%s", tried.len ? "; " : "", err_text(&why));
		else
			strbuf_addf(&tried, "%s%s: %s", tried.len ? "; " : "", url, err_text(&why));
	}
	return err_set(e, -r, "%s", tried.buf ? tried.buf : "no endpoint");
}

int image_name_from_remote(const struct request *rq, const struct image_ref *ref, char **ret_id,
			   struct err *e)
{
	_cleanup_endpoints_ struct endpoints all = {0};
	int r;

	if (rq->policy == PULL_NEVER)
		return err_set(e, ENOENT,
			       "unable to fetch image from image name %s: it is not in the store",
			       q(ref->text));
	log_debug("image: searching for app image %s", ref->location);
	r = discovery_images(rq->g, ref->location, &ref->labels, &all, e);
	if (r < 0)
		return r;
	if (signature_wanted(rq->g))
		trust_discover(rq->g, ref->location);
	return from_endpoints(rq, ref, &all, ret_id, e);
}
