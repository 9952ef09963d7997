#include "stage0/worker/ring.h"

#include <errno.h>

#include "base/mem.h"

void ring_init(struct ring *r, size_t slots, size_t size, int readers)
{
	*r = (struct ring) {.lock = PTHREAD_MUTEX_INITIALIZER,
			    .filled = PTHREAD_COND_INITIALIZER,
			    .emptied = PTHREAD_COND_INITIALIZER,
			    .slots = slots < RING_SLOTS_MAX ? slots : RING_SLOTS_MAX,
			    .size = size,
			    .batch = slots < 4 ? 1 : 2,
			    .readers = readers};
	for (size_t i = 0; i < r->slots; i++)
		r->slot[i] = xmalloc(size);
}

void ring_done(struct ring *r)
{
	for (size_t i = 0; i < r->slots; i++)
		free(r->slot[i]);
}

static bool is_full(const struct ring *r)
{
	for (int i = 0; i < r->readers; i++)
		if (r->head - r->tail[i] >= r->slots)
			return true;
	return false;
}

uint8_t *ring_to_fill(struct ring *r)
{
	uint8_t *slot;

	(void) pthread_mutex_lock(&r->lock);
	while (is_full(r) && !r->failed)
		(void) pthread_cond_wait(&r->emptied, &r->lock);
	slot = r->failed ? NULL : r->slot[r->head % r->slots];
	(void) pthread_mutex_unlock(&r->lock);
	return slot;
}

void ring_filled(struct ring *r, size_t len)
{
	(void) pthread_mutex_lock(&r->lock);
	r->len[r->head % r->slots] = len;
	r->head++;
	/* Who sleeps is through with all there was. */
	if (r->head % r->batch == 0)
		(void) pthread_cond_broadcast(&r->filled);
	(void) pthread_mutex_unlock(&r->lock);
}

void ring_end(struct ring *r)
{
	(void) pthread_mutex_lock(&r->lock);
	r->ended = true;
	(void) pthread_cond_broadcast(&r->filled);
	(void) pthread_mutex_unlock(&r->lock);
}

int ring_to_read(struct ring *r, int reader, const uint8_t **data, size_t *len)
{
	int result = 0;

	(void) pthread_mutex_lock(&r->lock);
	while (r->tail[reader] == r->head && !r->ended && !r->failed)
		(void) pthread_cond_wait(&r->filled, &r->lock);
	if (r->failed) {
		result = -ECANCELED;
	} else if (r->tail[reader] < r->head) {
		*data = r->slot[r->tail[reader] % r->slots];
		*len = r->len[r->tail[reader] % r->slots];
		result = 1;
	}
	(void) pthread_mutex_unlock(&r->lock);
	return result;
}

void ring_read(struct ring *r, int reader)
{
	(void) pthread_mutex_lock(&r->lock);
	r->tail[reader]++;
	/* The filler sleeps only when the ring is full: wake it when there is room for more than one or two. */
	if (2 * (r->head - r->tail[reader]) <= r->slots || r->ended)
		(void) pthread_cond_signal(&r->emptied);
	(void) pthread_mutex_unlock(&r->lock);
}

void ring_fail(struct ring *r)
{
	(void) pthread_mutex_lock(&r->lock);
	r->failed = true;
	(void) pthread_cond_broadcast(&r->filled);
	(void) pthread_cond_broadcast(&r->emptied);
	(void) pthread_mutex_unlock(&r->lock);
}
