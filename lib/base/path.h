/*
 * Paths.  A path that an image, a pod or an app controls is only ever used relative to a directory
 * descriptor, through path_open_beneath(): no root is ever concatenated with such a path
 * (CVE-2019-19921, CVE-2021-30465, CVE-2024-45310 and their kin).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* How symbolic links and mounts on the way are treated (openat2(2)). */
enum path_how {
	/* As chroot(2) would see it: absolute links and ".." stay below the directory; no magic links. */
	PATH_IN_ROOT = 0,
	/* No symbolic link at all, no way out: for what gantry itself lays out. */
	PATH_NO_LINKS = 1 << 0,
	/* Do not cross into another mount. */
	PATH_NO_XDEV = 1 << 1,
};

/*
 * Open `path` (absolute means: from dirfd) as seen from the root `dirfd`.  O_CLOEXEC is added.
 * Where openat2(2) is not available the walk is made component by component with the same rules
 * (PATH_NO_XDEV is then checked by st_dev).  Returns the descriptor or -errno.
 */
int path_open_beneath(int dirfd, const char *path, int flags, mode_t mode, unsigned how);
/*
 * Make the directory `path` with its parents below dirfd (missing ones get `mode`, owner 0:0) and
 * return an O_PATH descriptor of it.  Links in the existing part are followed inside the root; missing
 * components are made one at a time on descriptors.
 */
int path_mkdirs_beneath(int dirfd, const char *path, mode_t mode, unsigned how);

/* Like mkdir -p for a path that the operator gave; existing directories are fine. */
int path_mkdirs(const char *path, mode_t mode, struct err *e);
/*
 * Remove a tree below dirfd without following links or leaving its file system, with bounded
 * descriptors and stack whatever its depth. Missing is success. Immutable or busy: -errno, named in e.
 */
int path_remove_tree(int dirfd, const char *name, struct err *e);
/*
 * The names in a directory that are wanted, sorted, so that it is always the same one that is met first;
 * more than max: -E2BIG. *ret, a strv or NULL, is owned by the caller.
 */
int path_names(int dir, bool (*wanted)(const char *name), size_t max, char ***ret, struct err *e);

/* "a" + "b" -> "a/b" (owned by the caller). */
char *path_join(const char *a, const char *b);
/* Lexical clean-up of an absolute path: no "//", ".", ".."; "/" for the root. Owned by the caller. */
char *path_clean(const char *path);
bool path_is_absolute(const char *path);
/* "/a/b" is below or equal to "/a", by component. Both clean. */
bool path_is_below(const char *path, const char *dir);
/* A single name: not empty, not "." or "..", no '/', at most NAME_MAX bytes. */
bool path_is_name(const char *s);
/* Points behind the last '/'. */
const char *path_last(const char *path);
