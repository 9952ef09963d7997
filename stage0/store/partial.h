/*
 * cas/partial/HASH-OF-URL/{blob,state}: the beginning of a file that is being downloaded.  It is
 * there from the first byte on, so that the next fetch can go on with it however this one ended.
 *
 * Whoever downloads holds the directory's lock; store_gc() takes what is left alone for a day. What
 * the bytes are worth is not asked here: the image made of them is hashed and verified like any
 * other, and when it is none they are dropped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define PARTIAL_STATE "state" /* what can be gone on with has it */

struct partial {
	int store, dir, blob; /* dir: locked; blob: O_RDWR, at its end */
	char *name;	      /* cas/partial/HASH */
	uint64_t size;	      /* bytes that are there */
	char *validator;      /* what the server called them; NULL: they are of no use, size is 0 */
	bool bad;	      /* see partial_drop() */
};
#define PARTIAL_INIT {.dir = -EBADF, .blob = -EBADF}

/*
 * Open, make and lock the place for this URL.  `waived` are the checks of the transport that this
 * download goes without (a number that the caller chooses bits for); bytes that came with fewer
 * checks than that are forgotten.  -EWOULDBLOCK, without `wait`: somebody else is downloading it.
 */
int partial_open(int store, const char *url, unsigned waived, bool wait, struct partial *ret,
		 struct err *e);
/*
 * The download begins with the first byte: forget what there is.  validator NULL: it cannot be
 * resumed.  length: of the whole, or -1.
 */
int partial_begin(struct partial *p, const char *url, unsigned waived, const char *validator,
		  int64_t length, struct err *e);
/* The file is whole and good: it becomes to_dir/blob. */
int partial_take(struct partial *p, int to_dir, struct err *e);
/* The download is of no use: `bad`, because of what the bytes are. */
void partial_drop(struct partial *p, bool bad);
/* Unlock.  What cannot be resumed is removed. */
void partial_close(struct partial *p);
#define _cleanup_partial_ __attribute__((cleanup(partial_close)))
