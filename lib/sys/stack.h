/*
 * Looking into directories that lie one above the other, with the rules by which overlayfs shows them as one
 * (Documentation/filesystems/overlayfs.rst): an upper name hides lower ones, directories are merged, a character
 * device 0:0 hides a name, and trusted.overlay.opaque="y" all that a directory has below.  Without a mount: for
 * looks before there is one, and for where there is none.  So that layers can lie where neither can be (on an
 * overlay), a socket hides a name as well, and one of the name STACK_OPAQUE_MARK all that a directory has below.
 *
 * Paths are followed as from inside, whatever links the layers have: none leads out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

#define STACK_OPAQUE_MARK ".wh..wh..opq"

/* One directory in all layers that show something of it, the topmost first. */
struct stack_dir {
	int *fds;      /* open for reading */
	unsigned *layer; /* from which each comes: 0 is the bottom */
	size_t n;
};
void stack_dir_done(struct stack_dir *d);
#define _cleanup_stack_dir_ __attribute__((cleanup(stack_dir_done)))

/* What has a name, with the attributes that are seen. */
struct stack_node {
	struct stat st;
	unsigned layer;
	struct stack_dir dir; /* of a directory */
	int parent;	      /* else: where the name lies, borrowed of the directory that was asked */
};
#define STACK_NODE_INIT {.parent = -EBADF}
void stack_node_done(struct stack_node *n);
#define _cleanup_stack_node_ __attribute__((cleanup(stack_node_done)))

/* The root: paths relative to dirfd, bottom first. */
int stack_open(int dirfd, char *const *layers, struct stack_dir *ret, struct err *e);
/* A single name in a directory; -ENOENT. Links are not followed. Attributes of a directory: stack's top. */
int stack_child(const struct stack_dir *d, const char *name, struct stack_node *ret);
/*
 * A path from the root; links are followed as chroot(2) would see them, also the last one. -ENOENT, -ENOTDIR,
 * -ELOOP as open(2).  `parent` of what is no directory is not of use.
 */
int stack_find(const struct stack_dir *root, const char *path, struct stack_node *ret);
/* A node of a single directory, which it owns; on failure it is closed. */
int stack_node_of(int fd, struct stack_node *ret);
/* Whether none of the layers has an entry there. */
bool stack_dir_is_empty(const struct stack_dir *d);
