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

	if (r == 0 && signature_wanted(rq->g)) {
		r = signature_read(rq->signature_file ? rq->signature_file : beside, &sig, e);
		in.sig = &sig;
	}
	if (r == 0)
		r = known_image(rq->g, rq->store, rq->location, file, in.sig, ret_id, e);
	if (r)
		return r < 0 ? r : 0;
	return import_image(&in, ret_id, e);
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
		r = image_from_url(&rq, ret_id, e);
		break;
	case IMAGE_SOURCE_NAME:
		r = from_name(&rq, text, ret_id, e);
		break;
	}
	return r < 0 ? err_ctx(e, r, "image %s", q(text)) : 0;
}
