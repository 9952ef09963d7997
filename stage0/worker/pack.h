/*
 * A tree of files as an image: manifest first, then rootfs and what is below it, each directory's
 * names in the order of their bytes.
 */
#pragma once

#include "stage0/store/id_shift.h"
#include "stage0/worker/pack_tar.h"

struct pack_options {
	bool owner_root; /* everything belongs to 0:0 */
	bool fixed_time; /* everything has this time */
	int64_t mtime;
	const char *manifest;
	size_t manifest_len;
	int64_t manifest_mtime;
	unsigned depth;	   /* of a path */
	bool exact_times;  /* to the nanosecond, which costs each entry a header of its own */
	bool skip_sockets; /* else one is an error */
	struct id_shift users; /* the tree is of a pod with these ids: it is packed with those that the pod sees */
	char **leave_out;  /* strv of absolute paths: there only where something is in it */
};

/*
 * `root` is a directory. Errors name the path.  Refused: sockets, paths too deep, files that change
 * while they are read.  Left out: the attributes that an image may not have (untar_internal.h,
 * policy_xattr).
 */
int pack_tree(struct tar_writer *w, int root, const struct pack_options *o, struct err *e);
/* The manifest's entry alone. */
int pack_manifest(struct tar_writer *w, const struct pack_options *o, struct err *e);
