/*
 * Compiled system call filters: from the cache, or from the worker that knows libseccomp.
 *
 * The key is the whole text that describes a filter (see text.h); a file is named by a short hash of
 * it and holds the text itself beside the program, so that a collision is a miss and nothing else.
 * Compiling costs milliseconds, a hit a few system calls.
 */
#pragma once

#include <stdint.h>

#include "spec/isolator.h"

struct seccomp_program {
	int fd;	     /* struct sock_filter[] from its offset to its end; -EBADF: no filter at all was asked for */
	char *bytes; /* the same, owned */
	size_t len;
};
#define SECCOMP_PROGRAM_INIT {.fd = -EBADF}
void seccomp_program_done(struct seccomp_program *p);

/*
 * The filter for these isolators (none: the default one, which grows with the capabilities in
 * `bounding`, a mask of 1 << CAP_X).  cache_dir is made (0700) when missing; a cache that cannot be
 * written costs time, nothing else.  worker: path of the compiler.
 */
int seccomp_program(const struct isolator_list *isolators, uint64_t bounding, const char *cache_dir,
		    const char *worker, struct seccomp_program *ret, struct err *e);
