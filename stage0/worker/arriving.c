#include "stage0/worker/arriving.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

#define WINDOW (4u << 20)
#define BUFFER (256u << 10)
#define STOP_MS 200 /* so often it is looked whether anybody still wants what comes */

static int wait_for_more(struct arriving *a, struct err *e)
{
	struct pollfd fds = {.fd = a->progress, .events = POLLIN};
	uint64_t message;
	ssize_t n;

	while (!a->stop && poll(&fds, 1, STOP_MS) == 0)
		;
	if (a->stop)
		return err_set(e, ECANCELED, "stopped");
	n = read_exact(a->progress, &message, sizeof message);
	if (n < 0)
		return err_sysr(e, (int) n, "progress of the download");
	if (n == 0)
		return err_set(e, ECANCELED, "the image did not arrive");
	a->there = message & ~ARRIVING_WHOLE;
	a->whole = message & ARRIVING_WHOLE;
	return 0;
}

/* 1 when there is something behind the position, 0 at the end. */
static int wait_for_some(struct arriving *a, struct err *e)
{
	while (a->pos >= a->there) {
		int r;

		if (a->whole)
			return 0;
		r = wait_for_more(a, e);
		if (r < 0)
			return r;
	}
	return 1;
}

ssize_t arriving_read(struct arriving *a, void *buf, size_t n, struct err *e)
{
	ssize_t got = wait_for_some(a, e);

	if (got <= 0)
		return got;
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

static void unmap(struct arriving *a)
{
	if (a->map)
		(void) munmap(a->map, a->map_len);
	a->map = NULL;
}

int arriving_next(struct arriving *a, const uint8_t **data, size_t *len, struct err *e)
{
	size_t before = (size_t) (a->pos % (size_t) sysconf(_SC_PAGESIZE));
	int r = wait_for_some(a, e);
	ssize_t n;

	unmap(a);
	if (r <= 0)
		return r;
	*len = a->there - a->pos < WINDOW ? (size_t) (a->there - a->pos) : WINDOW;
	a->map_len = before + *len;
	a->map = a->buffer ? NULL : mmap(NULL, a->map_len, PROT_READ, MAP_SHARED | MAP_POPULATE, a->file,
					 (off_t) (a->pos - before));
	if (a->map && a->map != MAP_FAILED) {
		*data = (const uint8_t *) a->map + before;
		a->pos += *len;
		return 1;
	}
	a->map = NULL;
	if (!a->buffer)
		a->buffer = xmalloc(BUFFER);
	n = arriving_read(a, a->buffer, BUFFER, e);
	*data = a->buffer;
	*len = n > 0 ? (size_t) n : 0;
	return n < 0 ? (int) n : n > 0;
}

void arriving_done(struct arriving *a)
{
	unmap(a);
	free(a->buffer);
	a->buffer = NULL;
}
