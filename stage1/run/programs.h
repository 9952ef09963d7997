/*
 * stage1's own programs, found beside the running one and executed by descriptor.
 */
#pragma once

#include "base/err.h"

/* Absolute path of the directory that holds the running program; borrowed for ever. */
const char *programs_dir(struct err *e);

struct programs {
	int dir;   /* the directory on the host */
	int mount; /* the same as a read-only mount that is attached nowhere; -EBADF: cannot be had */
};
int programs_open(struct programs *ret, struct err *e);
/* A descriptor to execute the program inside of a pod by. */
int programs_get(const struct programs *p, const char *name, struct err *e);
void programs_close(struct programs *p);
#define _cleanup_programs_ __attribute__((cleanup(programs_close)))
