/*
 * flock(2) on directories: held as long as any copy of the descriptor is open, in whatever process;
 * released by the kernel however the holder dies.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum lock_kind { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_UNLOCK };

/* Lock an open directory. Without wait: -EWOULDBLOCK when somebody holds it. Restarts on EINTR. */
int lock_fd(int fd, enum lock_kind kind, bool wait);
/* Open (O_RDONLY|O_DIRECTORY) and lock; returns the descriptor. */
int lock_dir_at(int dirfd, const char *path, enum lock_kind kind, bool wait, struct err *e);
/* Create (0600) when missing, open and lock a regular file; returns the descriptor. */
int lock_file_at(int dirfd, const char *path, enum lock_kind kind, bool wait, struct err *e);
