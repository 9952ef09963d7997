/*
 * Whole files: read with a bound, replaced atomically.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The content of a regular file (anything else: -EINVAL; FIFOs and devices do not block), at most
 * `limit` bytes, else -EFBIG. *ret is NUL-terminated, owned by the caller. The error names `path`.
 */
int file_read_at(int dirfd, const char *path, size_t limit, char **ret, size_t *ret_len, struct err *e);
/* The same without the line feed at the end. */
int file_read_line_at(int dirfd, const char *path, char **ret, struct err *e);

enum file_write {
	FILE_FAST = 0,	    /* rename only: a power cut may lose it, a reader never sees half of it */
	FILE_DURABLE = 1,   /* fsync before the rename, fsync of the directory after it */
};
/* Replace `path` below dirfd: temporary name, write, (fsync), rename, (fsync of the parent). */
int file_write_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode, enum file_write how,
		  struct err *e);
/* renameat2(2), which not every libc has: 0, or -1 and errno. */
int file_rename_at(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
/* fsync(2) of the directory. */
int file_sync_dir(int dirfd, struct err *e);
/* Write a short text into an existing file (sysctl, cgroup, /proc/self/...), in one write(2). */
int file_poke_at(int dirfd, const char *path, const char *text);
