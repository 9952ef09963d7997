/*
 * Descriptors under names that are made up on the way, for exec_fds().
 */
#pragma once

#include "base/fd.h"

struct fd_list {
	struct fd_name *v;
	size_t n;
};

/* Left out when fd < 0. The descriptor stays the caller's. */
void fd_list_add(struct fd_list *l, int fd, const char *fmt, ...) _printf_(3, 4);
void fd_list_done(struct fd_list *l);
#define _cleanup_fd_list_ __attribute__((cleanup(fd_list_done)))
