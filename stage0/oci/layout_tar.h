/*
 * A tar file written from its beginning to its end, with nothing in it that depends on when or by whom:
 * regular files, owner 0, mode 0644, no time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* `name` of any length (pax), `size` of any size. What follows are the bytes, and layout_tar_pad(). */
int layout_tar_header(int fd, const char *name, uint64_t size, struct err *e);
/* Behind a file of this size, up to the next block. */
int layout_tar_pad(int fd, uint64_t size, struct err *e);
/* A small file as a whole. */
int layout_tar_file(int fd, const char *name, const void *data, size_t len, struct err *e);
int layout_tar_end(int fd, struct err *e);
