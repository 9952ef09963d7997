/*
 * Files with several names: from an inode to where its first name was met.  The files of one tree
 * are on one device.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct inode_name {
	ino_t ino;
	char *path; /* owned; NULL: a free slot */
};

struct inode_map {
	struct inode_name *v; /* open addressing */
	size_t n, slots;
};

/* The entry of the inode; without a path yet when it was not known (the caller gives it one). */
struct inode_name *inode_map_get(struct inode_map *m, ino_t ino);
void inode_map_done(struct inode_map *m);
