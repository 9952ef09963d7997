/*
 * The words for an image to an image in the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "stage0/image/internal.h"

struct request {
	const struct gantry *g;
	int store;
	const char *location;
	const char *signature_file; /* --signature, or NULL */
	enum pull_policy policy;
};

static bool wants_signature(const struct request *rq)
{
	return !(rq->g->insecure & INSECURE_IMAGE);
}

/* --- a local file --- */

/* Regular files only, and without waiting for the other end of a pipe. */
static int open_image(const char *path, struct err *e)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is no regular file", path);
	return take_fd(fd);
}

static int from_file(const struct request *rq, char **ret_id, struct err *e)
{
	_cleanup_signature_ struct signature sig = {0};
	_cleanup_free_ char *beside = xasprintf("%s.asc", rq->location);
	_cleanup_fd_ int file = open_image(rq->location, e);
	struct import in = {.g = rq->g, .store = rq->store, .source = rq->location, .file = file};
	int r = file < 0 ? file : 0;

	if (r == 0 && wants_signature(rq)) {
		r = signature_read(rq->signature_file ? rq->signature_file : beside, &sig, e);
		in.sig = &sig;
	}
	if (r == 0)
		r = known_image(rq->g, rq->store, rq->location, file, in.sig, ret_id, e);
	if (r)
		return r < 0 ? r : 0;
	return import_image(&in, ret_id, e);
}

/* --- a URL --- */

/* "https://host/a.aci?x=y" -> "https://host/a.aci.asc?x=y" */
static char *signature_url(const char *url)
{
	int path = (int) strcspn(url, "?#");

	return xasprintf("%.*s.asc%s", path, url, url + path);
}

static int get_signature(const struct request *rq, struct signature *sig, struct err *e)
{
	_cleanup_free_ char *url = signature_url(rq->location);
	int r;

	if (rq->signature_file)
		return signature_read(rq->signature_file, sig, e);
	r = download_all(rq->g, url, SIGNATURE_MAX, &sig->data, &sig->len, e);
	return r < 0 ? err_ctx(e, r, "error opening signature file %s", q(url)) : 0;
}

/* A stored image may stand for the URL only if it was checked as this command would check it. */
static bool may_reuse(const struct request *rq, const char *id)
{
	struct store_info info = {0};
	bool ok = !wants_signature(rq);

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
	if (wants_signature(rq)) {
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

static int from_url(const struct request *rq, char **ret_id, struct err *e)
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

/* --- what is looked for in the store --- */

static int from_store(const struct request *rq, const char *text, char **ret_id, struct err *e)
{
	return store_find(rq->store, text, ret_id, e);
}

static int from_name(const struct request *rq, const char *text, char **ret_id, struct err *e)
{
	int r;

	if (rq->policy == PULL_UPDATE)
		return err_set(e, ENOTSUP, "fetching by name (discovery) is not supported yet");
	r = from_store(rq, text, ret_id, e);
	if (r == -ENOENT && rq->policy == PULL_NEVER)
		return err_set(e, ENOENT, "unable to fetch image from %s: it is not in the store", text);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "not in the store, and fetching by name (discovery) is not supported yet");
	return r;
}

int image_resolve(const struct gantry *g, const char *text, const char *signature_file, enum pull_policy policy,
		  char **ret_id, struct err *e)
{
	_cleanup_image_ref_ struct image_ref ref = {0};
	_cleanup_fd_ int store = -EBADF;
	struct request rq = {.g = g, .signature_file = signature_file, .policy = policy};
	int r = image_ref_parse(text, &ref, e);

	if (r < 0)
		return r;
	rq.store = store = store_open(g, e);
	if (store < 0)
		return store;
	rq.location = ref.location;
	log_debug("image %s: %s", q(text), ref.location);
	switch (ref.source) {
	case IMAGE_SOURCE_ID:
		r = from_store(&rq, ref.location, ret_id, e);
		break;
	case IMAGE_SOURCE_FILE:
		r = from_file(&rq, ret_id, e);
		break;
	case IMAGE_SOURCE_URL:
		r = from_url(&rq, ret_id, e);
		break;
	case IMAGE_SOURCE_NAME:
		r = from_name(&rq, text, ret_id, e);
		break;
	}
	return r < 0 ? err_ctx(e, r, "image %s", q(text)) : 0;
}
