#include "stage0/worker/intake.h"

#include <errno.h>

/*
 * Together they fit into a processor's own cache: each byte is read three times.  Smaller ones cost memory less, and
 * the threads wake each other more often.
 */
#define SLOTS 4
#define SLOT (128u << 10)

static int read_all(struct intake *in, struct err *e)
{
	for (;;) {
		uint8_t *slot = ring_to_fill(&in->ring);
		ssize_t n;

		if (!slot)
			return -ECANCELED;
		n = arriving_read(in->image, slot, SLOT, e);
		if (n <= 0)
			return (int) n;
		/* Only this thread fills it anew: it may look at it when the other has it as well. */
		ring_filled(&in->ring, (size_t) n);
		if (!EVP_DigestUpdate(in->md, slot, (size_t) n))
			return err_set(e, EIO, "hash");
	}
}

static void *intake_main(void *arg)
{
	struct intake *in = arg;

	in->r = read_all(in, &in->e);
	if (in->r < 0)
		ring_fail(&in->ring);
	else
		ring_end(&in->ring);
	return NULL;
}

int intake_start(struct intake *in, struct arriving *image, const EVP_MD *kind, struct err *e)
{
	int r;

	*in = (struct intake) {.image = image, .md = EVP_MD_CTX_new()};
	ring_init(&in->ring, SLOTS, SLOT, 1);
	/* What has come may be bad enough to stop for, and nothing more may come. */
	in->ring.batch = 1;
	if (!in->md || !EVP_DigestInit_ex(in->md, kind, NULL))
		return err_set(e, ENOTSUP, "SHA-2 is not available");
	r = pthread_create(&in->thread, NULL, intake_main, in);
	if (r)
		return err_set(e, r, "start a thread");
	in->started = true;
	return 0;
}

int intake_next(struct intake *in, const uint8_t **data, size_t *len)
{
	int r;

	if (in->holds)
		ring_read(&in->ring, 0);
	r = ring_to_read(&in->ring, 0, data, len);
	in->holds = r > 0;
	return r;
}

void intake_stop(struct intake *in)
{
	if (!in->started)
		return;
	in->image->stop = true;
	ring_fail(&in->ring);
	(void) pthread_join(in->thread, NULL);
	in->started = false;
}

void intake_done(struct intake *in)
{
	intake_stop(in);
	EVP_MD_CTX_free(in->md);
	ring_done(&in->ring);
	err_done(&in->e);
}
