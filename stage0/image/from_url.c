/*
 * A URL to an image in the store.
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "spec/image_manifest.h"
#include "stage0/image/internal.h"

/* One URL's way into the store. */
struct way {
	const struct request *rq;
	char *shown;	 /* the URL without user and password, for messages and records */
	unsigned waived; /* what this command does not check of the transport */
	struct signature sig;
	bool sig_later;
	struct partial partial;
	bool resumed; /* the server said 206: not all bytes are of this download */
	struct progress progress;
};

/* --- the signature --- */

/* "https://host/a.aci?x=y" -> "https://host/a.aci.asc?x=y" */
static char *beside(const char *url)
{
	int path = (int) strcspn(url, "?#");

	return xasprintf("%.*s.asc%s", path, url, url + path);
}

/* 1: the server asks to come back when the image is there (202). */
static int get_signature(struct way *w, unsigned flags, struct err *e)
{
	const struct request *rq = w->rq;
	_cleanup_free_ char *url =
		rq->signature_url ? xstrdup(rq->signature_url) : beside(rq->location);
	_cleanup_free_ char *shown = url_shown(url);
	_cleanup_document_ struct document doc = {0};
	int r;

	if (rq->signature_file)
		return signature_read(rq->signature_file, &w->sig, e);
	r = download_all(rq->g, url, SIGNATURE_MAX, DOWNLOAD_RETRY | flags, &doc, e);
	w->sig = (struct signature) {.data = take_ptr(doc.data), .len = doc.len};
	return r < 0 ? err_ctx(e, r, "error downloading the signature file %s", q(shown)) : r;
}

static int late_signature(void *arg, const struct signature **ret, struct err *e)
{
	struct way *w = arg;
	int r;

	progress_note(&w->progress, "downloading the signature of");
	r = get_signature(w, 0, e);
	*ret = &w->sig;
	return r;
}

/* --- what is there --- */

/*
 * A stored image may stand for the URL only if it was checked as this command would check it: its
 * signature, or else the server that it came from.
 */
static bool may_reuse(const struct way *w, const struct remote *known)
{
	struct store_info info = {0};
	bool ok = store_info(w->rq->store, known->id, &info, NULL) == 0;

	if (ok && !info.signer)
		ok = !signature_wanted(w->rq->g) && !(known->waived & ~w->waived);
	store_info_done(&info);
	return ok;
}

static int check_stored(const struct way *w, const char *id, struct err *e)
{
	struct image_manifest *m;
	char *text;
	size_t len;
	int r;

	if (!w->rq->expect)
		return 0;
	r = store_manifest(w->rq->store, id, &text, &len, e);
	if (r < 0)
		return r;
	m = image_manifest_parse(text, len, e);
	free(text);
	if (!m)
		return -EINVAL;
	r = image_check_expected(w->rq->expect, m->name, &m->labels, e);
	image_manifest_free(m);
	return r;
}

/* 1 with *ret_id: no need to ask the server; 0 with *known when there is something to ask about. */
static int look_up(const struct way *w, struct remote *known, char **ret_id)
{
	if (remote_get(w->rq->store, w->shown, known) < 0)
		return 0;
	/* Another image than is asked for may have been replaced since: the server is to say. */
	if (!may_reuse(w, known) || check_stored(w, known->id, NULL) < 0) {
		remote_done(known);
		return 0;
	}
	if (w->rq->policy == PULL_UPDATE && !remote_is_fresh(known))
		return 0;
	*ret_id = xstrdup(known->id);
	return 1;
}

/* --- the download --- */

/* Two fetches of one URL: the second waits, and then finds what the first brought. */
static int open_partial(struct way *w, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r = partial_open(w->rq->store, w->shown, w->waived, false, &w->partial, &why);

	/* Another user's; nothing is lost but the part of it that is there. */
	if (r == -EACCES || r == -EPERM || r == -EROFS) {
		log_debug("image: %s", err_text(&why));
		return 0;
	}
	if (r != -EWOULDBLOCK)
		return r < 0 ? err_move(e, &why) : 0;
	if (!w->rq->quiet)
		log_info("waiting for another download of %s", w->shown);
	return partial_open(w->rq->store, w->shown, w->waived, true, &w->partial, e);
}

static int import_download(struct way *w, struct download *d, char **ret_id, struct err *e)
{
	const struct request *rq = w->rq;
	struct import in = {
		.g = rq->g, .store = rq->store, .source = w->shown, .file = -EBADF, .download = d,
		.partial = &w->partial, .expect = rq->expect, .progress = &w->progress, .arg = w,
	};
	int r = 0;

	if (signature_wanted(rq->g) && w->sig_later)
		in.late_signature = late_signature;
	else if (signature_wanted(rq->g))
		in.sig = &w->sig;
	w->resumed = d->head.status == 206;
	if (w->partial.dir < 0)
		in.partial = NULL;
	else if (!w->resumed)
		r = partial_begin(&w->partial, w->shown, w->waived, d->head.validator,
				  d->head.length, e);
	progress_begin(&w->progress, w->partial.size, d->head.length);
	return r < 0 ? r : import_image(&in, ret_id, e);
}

/* One question to the server, and what it answers into the store. */
static int ask(struct way *w, const struct remote *known, char **ret_id, struct err *e)
{
	const struct request *rq = w->rq;
	const struct download_request ask = {
		.g = rq->g,
		.url = rq->location,
		.max_bytes = IMAGE_BLOB_MAX,
		.retry = true,
		.etag = known ? known->etag : NULL,
		.last_modified = known ? known->last_modified : NULL,
		.offset = w->partial.size,
		.validator = w->partial.validator,
	};
	_cleanup_download_ struct download d = DOWNLOAD_INIT;
	int r = download_start(&ask, &d, e);

	if (r == 0 && d.head.status == 304) {
		*ret_id = xstrdup(known->id);
	} else if (r == 0) {
		r = import_download(w, &d, ret_id, e);
	}
	if (r == 0)
		remote_put(rq->store, w->shown, *ret_id, &d.head, w->waived,
			   d.head.status == 304 ? known : NULL);
	return r;
}

static int download(struct way *w, const struct remote *known, char **ret_id, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	int r = 0;

	/* The small file first: without it the large one is of no use. */
	if (signature_wanted(w->rq->g))
		r = get_signature(w, DOWNLOAD_LATER, e);
	if (r < 0)
		return r;
	w->sig_later = r == 1;
	if (w->sig_later && !w->rq->quiet)
		log_info("server requested deferring the signature download of %s", w->shown);
	/* A copy of which the rest is asked for is no copy to compare with. */
	r = ask(w, w->partial.size ? NULL : known, ret_id, &why);
	/* With the bytes of before it is no image, or no signed one: they may be at fault. */
	if (r < 0 && w->resumed && w->partial.bad) {
		log_info("%s: %s; downloading it from the beginning", w->shown, err_text(&why));
		err_done(&why);
		r = ask(w, NULL, ret_id, &why);
	}
	return r < 0 ? err_move(e, &why) : 0;
}

static int fetch(struct way *w, char **ret_id, struct err *e)
{
	struct remote known = {0};
	int r = look_up(w, &known, ret_id);

	if (r == 0 && w->rq->policy == PULL_NEVER)
		r = err_set(e, ENOENT, "unable to fetch image from URL %s: it is not in the store",
			    q(w->shown));
	if (r == 0)
		r = open_partial(w, e);
	if (r >= 0 && w->partial.dir >= 0) {
		/* While we waited somebody else may have brought it. */
		remote_done(&known);
		r = look_up(w, &known, ret_id);
	}
	if (r == 1 && w->rq->policy == PULL_UPDATE)
		log_debug("image: image for %s isn't expired, not fetching.", w->shown);
	if (r == 1)
		log_debug("image: using image from local store for url %s", w->shown);
	if (r == 0) {
		log_debug("image: remote fetching from URL %s", q(w->shown));
		log_debug("image: fetching image from %s", w->shown);
		progress_start(&w->progress, w->shown, w->rq->quiet, !w->rq->no_bar);
		r = download(w, known.id ? &known : NULL, ret_id, e);
	}
	remote_done(&known);
	return r < 0 ? r : 0;
}

int image_from_url(const struct request *rq, char **ret_id, struct err *e)
{
	struct way w = {
		.rq = rq,
		.shown = url_shown(rq->location),
		.waived = rq->g->insecure & (INSECURE_HTTP | INSECURE_TLS),
		.partial = PARTIAL_INIT,
	};
	int r = fetch(&w, ret_id, e);

	partial_close(&w.partial);
	signature_done(&w.sig);
	free(w.shown);
	return r;
}
