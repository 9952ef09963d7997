/*
 * The mount system calls that work on descriptors (fsopen(2), fsmount(2), open_tree(2),
 * move_mount(2), mount_setattr(2)), as thin wrappers: a mount is made as a detached object first,
 * looked at, and attached to a checked descriptor afterwards, never to a path that an image
 * controls.
 *
 * All return >= 0 or -errno.  A detached mount is undone by the kernel when its descriptor is
 * closed. Linux 5.2 and later; mount_setattr(2) came with 5.12, mnt_attach() knows what to do
 * without it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The kernel's MOUNT_ATTR_*; under names of our own because the C libraries differ in who defines
 * those.
 */
enum {
	MNT_ATTR_RDONLY = 0x1,
	MNT_ATTR_NOSUID = 0x2,
	MNT_ATTR_NODEV = 0x4,
	MNT_ATTR_NOEXEC = 0x8,
	/*
	 * Not an attribute of the kernel's: leave the peer group, which a clone of a shared mount
	 * is born into.
	 */
	MNT_ATTR_PRIVATE = 0x40000000,
	/* Nor this: what is mounted on the host goes on arriving here, what is mounted here stays. */
	MNT_ATTR_SLAVE = 0x20000000,
};

/* An option of a file system; value NULL: a flag. A list ends with key NULL. */
struct mnt_option {
	const char *key, *value;
};

/*
 * A new file system as a detached mount. Relative paths in options are relative to the current
 * directory. The error says what the file system itself said, where it said something.
 */
int mnt_new(const char *type, const struct mnt_option *options, unsigned attrs, struct err *e);
/*
 * A detached copy of what is mounted at dirfd/path (path "": dirfd itself); recursive: with all
 * mounts below.
 */
int mnt_clone(int dirfd, const char *path, bool recursive);
/* Set attributes of a mount that is attached here; nothing is cleared. */
int mnt_set_attrs(int mnt, unsigned attrs, bool recursive);
/*
 * Owners on this mount become those that the user namespace's map makes of them (mount_setattr(2),
 * "ID-mapped mounts").  Only once, and before it is attached anywhere.  -EINVAL: the file system
 * takes no map; -ENOSYS: before Linux 5.12.
 */
int mnt_map_ids(int mnt, int users);
/*
 * Set attrs, then attach the detached mount `mnt` on top of the descriptor `to`; mnt goes on
 * working as a descriptor of the mount's root.  Without mount_setattr(2): attach, then remount by
 * way of /proc/self/fd; recursive attributes are -ENOSYS then.
 */
int mnt_attach(int mnt, int to, unsigned attrs, bool recursive);
/* mount(2) with MS_BIND, for paths of our own. */
int mnt_bind(const char *from, const char *to);
/* Everything from "/" down leaves its peer group: nothing spreads from here to the host or back. */
int mnt_make_private(void);
/* The mount `root` becomes "/", the old root is detached, the working directory is "/". */
int mnt_pivot(int root);
