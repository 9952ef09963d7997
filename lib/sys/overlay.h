/*
 * Directories one above the other by overlayfs, as a detached mount.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define OVERLAY_LOWER_MAX 500 /* OVL_MAX_STACK of fs/overlayfs */

struct overlay {
	int dir;	    /* what paths are relative to; AT_FDCWD: the working directory */
	char *const *lower; /* the bottom first; no comma or colon is in them */
	size_t n_lower;
	const char *upper, *work; /* NULL: read-only */
	const char *source;	  /* what /proc/PID/mountinfo shows as such, or NULL */
};

/*
 * The descriptor of the mount, or -errno.  Where the kernel takes its lower directories only as one string
 * (before 6.8), and that gets longer than what fsconfig(2) takes, a child mounts them: one that lives for
 * this call, in a mount namespace of its own.
 */
int overlay_new(const struct overlay *o, unsigned attrs, struct err *e);
