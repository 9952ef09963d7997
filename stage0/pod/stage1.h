/*
 * The stage1 of a pod: a directory with the programs that the annotations of an image manifest
 * name. gantry's own are installed beside it and used in place; an image's lies in the store as its
 * tree, which the pod keeps there (stage1TreeStoreID).  The pod records directory, name and
 * interface version, and of an image the manifest: the image may go while the pod is there.
 *
 * A pod goes on with the stage1 that it was made with, whatever is chosen or installed later.
 */
#pragma once

#include "contract/entry.h"

struct gantry;
struct pod;

#define STAGE1_DEFAULT "stage1/ns" /* below libexec */

struct stage1 {
	char *dir;	   /* absolute path of the stage1 directory */
	char *name;	   /* of its image manifest, and version label, for the record */
	unsigned interface;
	char *programs[ENTRY_MAX]; /* absolute paths; NULL: this stage1 cannot do that */
	char *image_id; /* of the image that it is; NULL: an installed directory */
	char *tree_id;	/* then: its tree in the store */
	char *manifest; /* then: its bytes, for the record */
};
#define STAGE1_INIT {0}
void stage1_done(struct stage1 *s);
#define _cleanup_stage1_ __attribute__((cleanup(stage1_done)))

/* The one that is installed as the default. */
int stage1_default(const struct gantry *g, struct stage1 *ret, struct err *e);
/* One in a directory: dir/manifest, dir/rootfs. */
int stage1_from_directory(const char *dir, struct stage1 *ret, struct err *e);
/*
 * Fill the rest in for one of which only the image's id is known: its tree is rendered if it must
 * be. The caller holds the prepare lock, until the pod has its record.
 */
int stage1_from_store(const struct gantry *g, int store, struct stage1 *s, struct err *e);
/* What its manifest says, when `dir` is known. */
int stage1_take_manifest(const char *text, size_t len, struct stage1 *s, struct err *e);
/* Whether it can run pods: its programs are there. */
int stage1_check(const struct stage1 *s, struct err *e);
/*
 * The one that a pod was made with; pod_dir: its directory. -ENOENT, named: it is not installed any
 * more.
 */
int stage1_of_pod(int pod_dir, struct stage1 *ret, struct err *e);
/* Record it in a pod directory that is being made. */
int stage1_record(const struct stage1 *s, int pod_dir, struct err *e);
/*
 * Path and argv of an entry point; options that the stage1 does not know are refused or reported.
 */
int stage1_argv(const struct stage1 *s, enum entry_point point, const struct entry_args *args,
		char ***ret_argv, struct err *e);
/*
 * What the programs of a stage1 inherit: our environment without what would be taken for a word of
 * ours or of a CNI runtime; with the number of the lock's descriptor when that is >= 0. strv, owned
 * by the caller.
 */
char **stage1_environment(int lock);
/*
 * Run an entry point to its end with the pod directory as cwd; its stderr is ours.  gc holds the
 * pod's lock as well as we do: should we be killed, nobody else begins before it is through.
 * Returns the exit status.
 */
int stage1_call(const struct stage1 *s, enum entry_point point, const struct entry_args *args,
		const struct pod *p, struct err *e);
