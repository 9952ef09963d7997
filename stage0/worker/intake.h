/*
 * The image as it arrives, read and hashed by a thread of its own: inflating takes the most time of all that is
 * done with a layer, and is not to wait for either.
 */
#pragma once

#include <openssl/evp.h>
#include <pthread.h>

#include "stage0/worker/arriving.h"
#include "stage0/worker/ring.h"

struct intake {
	struct arriving *image;
	EVP_MD_CTX *md; /* of all bytes, once intake_stop() has said that nothing failed */
	struct ring ring;
	pthread_t thread;
	bool started, holds; /* holds: the reader has a buffer that it was not through with */
	int r;
	struct err e;
};

int intake_start(struct intake *in, struct arriving *image, const EVP_MD *kind, struct err *e);
/* The next bytes, valid until the next call: 1, 0 at the end, -ECANCELED when the thread failed, and says why. */
int intake_next(struct intake *in, const uint8_t **data, size_t *len);
/* Nothing more is wanted, whether it failed or not. */
void intake_stop(struct intake *in);
void intake_done(struct intake *in);
