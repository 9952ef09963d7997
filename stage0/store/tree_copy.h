/*
 * Copying parts of a tree.  Both directories are open; names are single components; nothing is
 * followed.
 */
#pragma once

#include <sys/stat.h>

/* Owner, mode, extended attributes and times of what is open as `from`. 0 or -errno. */
int tree_copy_attributes(int from, int to, const struct stat *st);
/*
 * A file, link, device or pipe with its attributes, to where nothing of that name is. 0 or -errno.
 */
int tree_copy_node(int from_dir, int to_dir, const char *name, const struct stat *st);
