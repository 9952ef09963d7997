/*
 * Many descriptors for a while.  The limit is inherited by programs, and one that knows select(2) only must not
 * find a high one: it is put back.
 */
#pragma once

#include <sys/resource.h>

struct fd_limit {
	struct rlimit before;
	int raised;
};

/* As many as the hard limit allows. */
struct fd_limit fd_limit_raise(void);
void fd_limit_restore(struct fd_limit *l);
#define _cleanup_fd_limit_ __attribute__((cleanup(fd_limit_restore)))
