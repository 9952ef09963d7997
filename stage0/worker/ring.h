/*
 * A ring of buffers between one thread that fills them and one or two that each read all of them: the
 * inflated archive goes to the hash and to the extraction without being copied.
 *
 * Whoever fails says so, and all others stop.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SLOTS_MAX 32
#define RING_READERS_MAX 2

struct ring {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	uint8_t *slot[RING_SLOTS_MAX];
	size_t len[RING_SLOTS_MAX];
	size_t slots, size;
	unsigned batch; /* who sleeps is woken for so many; 1 where the filler may itself wait for more */
	int readers;
	uint64_t head, tail[RING_READERS_MAX]; /* slots filled, and read by each */
	bool ended, failed;
};

/* So many buffers of `size` bytes: the price of a smooth flow is memory. */
void ring_init(struct ring *r, size_t slots, size_t size, int readers);
void ring_done(struct ring *r);
/* A buffer to fill; NULL when somebody failed. */
uint8_t *ring_to_fill(struct ring *r);
/* It holds so many bytes now. */
void ring_filled(struct ring *r, size_t len);
/* Nothing more comes. */
void ring_end(struct ring *r);
/* The next buffer for this reader: 1, 0 at the end, -ECANCELED when somebody failed. */
int ring_to_read(struct ring *r, int reader, const uint8_t **data, size_t *len);
/* This reader is through with the buffer that it was given last. */
void ring_read(struct ring *r, int reader);
void ring_fail(struct ring *r);
