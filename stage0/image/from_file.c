/*
 * A local archive to an image in the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "stage0/image/internal.h"

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

int image_from_file(const struct request *rq, char **ret_id, struct err *e)
{
	_cleanup_signature_ struct signature sig = {0};
	_cleanup_free_ char *beside = xasprintf("%s.asc", rq->location);
	_cleanup_fd_ int file = open_image(rq->location, e);
	struct import in = {.g = rq->g, .store = rq->store, .source = rq->location, .file = file};
	int r = file < 0 ? file : 0;

	log_debug("image: using image from file %s", rq->location);
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
