/*
 * File descriptors: plain ints, -EBADF when empty, close-on-exec from birth.
 *
 * Crossing exec: exec_fds() is the only way in which a gantry program hands descriptors to the next
 * one.  It marks everything above 2 close-on-exec, clears the mark on the listed descriptors only,
 * and announces them by name in the environment: GANTRY_FDS="lock=5,record=7".  The receiver calls
 * fds_init() first, which marks them close-on-exec again, and asks by name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

void cleanup_fd(int *fd);
#define _cleanup_fd_ __attribute__((cleanup(cleanup_fd)))
/* Close (never retried, keeps errno); returns -EBADF, for `fd = fd_close(fd)`. */
int fd_close(int fd);
#define take_fd(fd)                                                                                \
	({                                                                                         \
		int *_fp = &(fd);                                                                  \
		int _v = *_fp;                                                                     \
		*_fp = -EBADF;                                                                     \
		_v;                                                                                \
	})

/* A copy >= 3, close-on-exec; -errno on failure. */
int fd_copy(int fd);
int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd);
/* Everything >= 3 becomes close-on-exec (close_range(2), or /proc/self/fd where that is missing). */
int fd_cloexec_all(void);
/* Make sure that 0, 1 and 2 are open (on /dev/null), so that no later open lands there. */
void fd_sanitize_stdio(void);

/* All of it, or -errno; EINTR and short writes are handled. */
int write_all(int fd, const void *data, size_t len);
/* Read up to EOF; more than `limit` bytes is -EFBIG. *ret is NUL-terminated and owned by the caller. */
int read_all(int fd, size_t limit, char **ret, size_t *ret_len);
/* Fill exactly len bytes; 0 bytes read at the very start gives 0, a short end -EIO, else len. */
ssize_t read_exact(int fd, void *buf, size_t len);

/* An unlinked memory file with this content, offset 0, sealed against any change (memfd_create(2)). */
int fd_sealed(const char *name, const void *data, size_t len, struct err *e);

/* Names with their descriptors; the name is [a-z0-9-]+ (an entry with fd < 0 is left out). */
struct fd_name {
	const char *name;
	int fd;
};
/*
 * Replace this process: argv, env (plus GANTRY_FDS), the named descriptors stay open.  path_fd >= 0
 * executes that descriptor (fexecve(3)), else `path`.  Returns only on failure.
 */
int exec_fds(int path_fd, const char *path, char *const *argv, char *const *env,
	     const struct fd_name *fds, size_t n, struct err *e);

/*
 * The same in two steps, of which the second allocates nothing as long as it succeeds: for a child that
 * has its parent's memory (vfork(2)).  *ret is the variable "GANTRY_FDS=...", owned by the caller, NULL
 * without descriptors; it must be in the env of the second step.
 */
int fds_announce(const struct fd_name *fds, size_t n, char **ret, struct err *e);
int exec_announced(int path_fd, const char *path, char *const *argv, char *const *env,
		   const struct fd_name *fds, size_t n, struct err *e);

/* Read GANTRY_FDS, mark the descriptors close-on-exec, remove the variable. Malformed: -EINVAL. */
int fds_init(struct err *e);
/* The descriptor announced under this name, or -ENOENT. Ownership moves to the caller. */
int fds_take(const char *name);
/*
 * Everything announced under a name that begins with `prefix`: at most max rows of {rest of the name,
 * descriptor}, names borrowed for ever. Returns how many; more than max: -E2BIG. Ownership moves.
 */
int fds_take_prefix(const char *prefix, struct fd_name *ret, size_t max);
/* "mount" + 0 .. : the same for numbered names ("mount0"). */
int fds_take_n(const char *prefix, unsigned n);
