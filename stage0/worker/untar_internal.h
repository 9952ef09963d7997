/*
 * Private to the extraction.
 */
#pragma once

#include <limits.h>

#include "base/str.h"
#include "stage0/worker/untar.h"

/* A set of paths (open addressing). */
struct path_set {
	char **v;
	size_t n, slots;
};

/* A directory whose time is set when nothing more is put into it. */
struct dir_time {
	char *path;
	struct timespec mtime;
};

struct untar {
	int top, root; /* root: TOP/rootfs, O_PATH; -EBADF while it is not there */
	const struct untar_limits *limits;
	struct untar_result done;
	bool have_manifest, have_root;
	struct path_set implied;    /* made because something is in them; an entry may still come */
	char parent_path[PATH_MAX]; /* of the directory that was used last, below root */
	int parent;		    /* its descriptor */
	struct dir_time *dirs;
	size_t n_dirs;
};

/* Where an entry belongs. */
enum place { PLACE_TOP, PLACE_MANIFEST, PLACE_ROOT, PLACE_BELOW };

/* --- entry_policy.c --- */
/* "./a//b/" -> "a/b", "" for the top, in PATH_MAX bytes; no "..", bounded. */
int policy_clean(const char *path, unsigned max_depth, char *ret, struct err *e);
/*
 * The name without "." and "//", checked: relative, no "..", bounded.  *ret (PATH_MAX bytes) gets
 * what is left below rootfs.
 */
int policy_place(const char *path, unsigned max_depth, char *ret, struct err *e);
/* The target of a hard link: the same, and below rootfs. */
int policy_hard_link(const char *target, unsigned max_depth, char *ret, struct err *e);
/* Whether the attribute goes into the tree: 1, 0 it is left out, -errno. */
int policy_xattr(const struct tar_entry *entry, const char *name, struct err *e);
bool path_set_add(struct path_set *s, const char *path); /* false: it was there */
bool path_set_remove(struct path_set *s, const char *path);
void path_set_done(struct path_set *s);

/* --- untar.c --- */
/* The entry's bytes, holes as holes. */
int untar_data(struct tar *t, int fd, const struct tar_entry *entry, struct err *e);
/*
 * Owner, mode and time of a link or a node.  They have no descriptor that could be written through;
 * the name in the parent's is used.
 */
int untar_named_attributes(int parent, const char *base, const struct tar_entry *entry, struct err *e);

/* --- untar_dir.c --- */
/*
 * The directory that holds `path`, made if need be: a descriptor (borrowed), *base its last
 * component.
 */
int untar_parent(struct untar *u, char *path, const char **base, struct err *e);
int untar_dir(struct untar *u, char *path, const struct tar_entry *entry, struct err *e);
/* TOP/rootfs, made if it is not there. */
int untar_root(struct untar *u, struct err *e);
/* Why a directory of the tree could not be opened, in words: r is what path_open_beneath() said. */
int untar_explain_dir(int r, const char *path, struct err *e);
int untar_dir_times(struct untar *u, struct err *e);
/* Owner, mode (unless it has that already), attributes and time of what is open. */
int untar_attributes(int fd, const struct tar_entry *entry, bool has_mode, struct err *e);
