/*
 * A URL to an image in the store.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/image/internal.h"

/* "https://host/a.aci?x=y" -> "https://host/a.aci.asc?x=y" */
static char *beside(const char *url)
{
	int path = (int) strcspn(url, "?#");

	return xasprintf("%.*s.asc%s", path, url, url + path);
}

static int get_signature(const struct request *rq, struct signature *sig, struct err *e)
{
	_cleanup_free_ char *url = rq->signature_url ? xstrdup(rq->signature_url) : beside(rq->location);
	_cleanup_document_ struct document doc = {0};
	int r;

	if (rq->signature_file)
		return signature_read(rq->signature_file, sig, e);
	r = download_all(rq->g, url, SIGNATURE_MAX, DOWNLOAD_RETRY, &doc, e);
	*sig = (struct signature) {.data = take_ptr(doc.data), .len = doc.len};
	return r < 0 ? err_ctx(e, r, "error opening signature file %s", q(url)) : 0;
}

/* A stored image may stand for the URL only if it was checked as this command would check it. */
static bool may_reuse(const struct request *rq, const char *id)
{
	struct store_info info = {0};
	bool ok = !signature_wanted(rq->g);

	if (!ok && store_info(rq->store, id, &info, NULL) == 0)
		ok = info.signer != NULL;
	store_info_done(&info);
	return ok;
}

static int download_image(const struct request *rq, const struct remote *known, char **ret_id, struct err *e)
{
	_cleanup_signature_ struct signature sig = {0};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	struct download_answer answer = {0};
	struct import in = {
		.g = rq->g, .store = rq->store, .source = rq->location, .file = -EBADF, .download = &d, .answer = &answer,
	};
	int r = 0;

	/* The small file first: without it the large one is of no use. */
	if (signature_wanted(rq->g)) {
		r = get_signature(rq, &sig, e);
		in.sig = &sig;
	}
	if (r == 0)
		r = download_start(rq->g, rq->location, known ? known->etag : NULL, IMAGE_BLOB_MAX, &d, e);
	if (r == 0)
		r = import_image(&in, ret_id, e);
	if (r == 1)
		*ret_id = known ? xstrdup(known->id) : NULL;
	if (r == 1 && !known)
		r = err_set(e, EPROTO, "the server says unchanged to a first question");
	if (r >= 0)
		remote_put(rq->store, rq->location, *ret_id, &answer);
	download_answer_done(&answer);
	return r < 0 ? r : 0;
}

int image_from_url(const struct request *rq, char **ret_id, struct err *e)
{
	struct remote known = {0};
	bool have = remote_get(rq->store, rq->location, &known) == 0 && may_reuse(rq, known.id);
	int r = 0;

	if (have && (rq->policy != PULL_UPDATE || remote_is_fresh(&known)))
		*ret_id = xstrdup(known.id);
	else if (rq->policy == PULL_NEVER)
		r = err_set(e, ENOENT, "unable to fetch image from %s: it is not in the store", rq->location);
	else
		r = download_image(rq, have ? &known : NULL, ret_id, e);
	remote_done(&known);
	return r;
}
