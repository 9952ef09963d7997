/*
 * Private to the extraction of layers.
 */
#pragma once

#include "stage0/worker/layer.h"
#include "stage0/worker/untar_internal.h"

#define LAYER_OPAQUE_MARK ".wh..wh..opq"
#define LAYER_DIRS_REPLACED_MAX 1000 /* directories with content that something else takes the place of */

/* --- layer_policy.c --- */
enum layer_kind {
	LAYER_ROOT,
	LAYER_PLAIN,
	LAYER_WHITEOUT, /* path: what it hides */
	LAYER_OPAQUE,	/* path: the directory */
	LAYER_IGNORED,	/* AUFS' own */
};
struct layer_name {
	enum layer_kind kind;
	char path[PATH_MAX];
};
int layer_name(const char *text, unsigned max_depth, struct layer_name *ret, struct err *e);

/* --- layer_notes.c: what is to be known of a path until the end --- */
struct layer_note {
	char *path;
	bool is_dir;  /* an entry told its time: */
	struct timespec mtime;
	bool implied; /* a directory that no entry has named so far */
	bool opaque;
	bool hole;    /* a whiteout */
};
struct layer_notes {
	struct layer_note *v; /* open addressing */
	size_t n, slots;
};
struct layer_note *layer_notes_find(const struct layer_notes *s, const char *path);
/* A new one is all false. */
struct layer_note *layer_notes_get(struct layer_notes *s, const char *path);
/* Forget the path and, if `below`, all that is below it. */
void layer_notes_drop(struct layer_notes *s, const char *path, bool below);
void layer_notes_done(struct layer_notes *s);

/* --- layer.c --- */
struct layer {
	int root; /* TOP/rootfs, O_PATH */
	const struct untar_limits *limits;
	struct untar_result done;
	struct layer_notes notes;
	unsigned replaced;
	mode_t hole; /* type of a whiteout */
	char parent_path[PATH_MAX]; /* of the directory that was used last */
	int parent;
};

/* --- layer_resolve.c --- */
/*
 * A directory's path without the symbolic links in it, as chroot(2) into the layer would see it, in the
 * same PATH_MAX bytes.
 */
int layer_resolve(int root, unsigned max_depth, char *path, struct err *e);

/* --- layer_dir.c: paths are in PATH_MAX bytes, and are rewritten when they lead through links --- */
/* The directory that holds `path`, made if need be: a descriptor (borrowed), *base the last component. */
int layer_parent(struct layer *l, char *path, const char **base, struct err *e);
/* The directory of this path, made if need be. */
int layer_dir_at(struct layer *l, char *path, struct err *e);
int layer_dir(struct layer *l, char *path, const struct tar_entry *entry, struct err *e);
/*
 * Something is at `base` already: remove it.  1: it is a directory and one is wanted, it stays; 0:
 * there is room now.
 */
int layer_make_room(struct layer *l, int parent, const char *base, const char *path, bool for_dir, struct err *e);
int layer_whiteout(struct layer *l, char *path, struct err *e);
int layer_opaque(struct layer *l, char *path, struct err *e);
/* Opaque directories by what lies in them, where whiteouts are sockets. */
int layer_opaque_marks(struct layer *l, struct err *e);
int layer_dir_times(struct layer *l, struct err *e);
