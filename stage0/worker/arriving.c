#include "stage0/worker/arriving.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"

static int wait_for_more(struct arriving *a, struct err *e)
{
	uint64_t message;
	ssize_t n = read_exact(a->progress, &message, sizeof message);

	if (n < 0)
		return err_sysr(e, (int) n, "progress of the download");
	if (n == 0)
		return err_set(e, ECANCELED, "the image did not arrive");
	a->there = message & ~ARRIVING_WHOLE;
	a->whole = message & ARRIVING_WHOLE;
	return 0;
}

ssize_t arriving_read(struct arriving *a, void *buf, size_t n, struct err *e)
{
	ssize_t got;

	while (a->pos >= a->there) {
		int r;

		if (a->whole)
			return 0;
		r = wait_for_more(a, e);
		if (r < 0)
			return r;
	}
	if (n > a->there - a->pos)
		n = (size_t) (a->there - a->pos);
	do
		got = pread(a->file, buf, n, (off_t) a->pos);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "read image");
	if (got == 0)
		return err_set(e, EIO, "the image shrank");
	a->pos += (uint64_t) got;
	return got;
}
