/*
 * Directories one above the other by overlayfs, as a detached mount.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define OVERLAY_LOWER_MAX 500 /* OVL_MAX_STACK of fs/overlayfs */

/*
 * On disk the owners are those of a user namespace: `users` is a descriptor of one with its map, `root` the
 * host's id of its user 0, and `tops` (strv) are the directories, relative to the working directory, in which all
 * layers lie.  Needs Linux 5.19 and a file system that takes ID-mapped mounts.
 */
struct overlay_map {
	int users;
	uid_t root;
	char *const *tops;
};

struct overlay {
	int dir;	    /* what paths are relative to; AT_FDCWD: the working directory */
	char *const *lower; /* the bottom first; no comma or colon is in them */
	size_t n_lower;
	const char *upper, *work; /* NULL: read-only */
	const char *source;	  /* what /proc/PID/mountinfo shows as such, or NULL */
	const struct overlay_map *map; /* NULL: owners are as they are */
};

/*
 * The descriptor of the mount, or -errno.  Where the kernel takes its lower directories only as one string
 * (before 6.8), and that gets longer than what fsconfig(2) takes, a child mounts them: one that lives for
 * this call, in a mount namespace of its own.
 */
int overlay_new(const struct overlay *o, unsigned attrs, struct err *e);

/* --- overlay_map.c --- */
int overlay_mapped(const struct overlay *o, unsigned attrs, struct err *e);
/*
 * The same directory in this mount namespace, by the same number: overlayfs takes none of another (EINVAL since
 * CVE-2021-3732).  Returns an errno value.
 */
int overlay_open_here(int fd);
