/*
 * The stage1 of a pod: a directory with a manifest whose annotations name its programs.  gantry's
 * own is installed beside it and used in place; the pod records path and version.
 */
#pragma once

#include "contract/entry.h"

struct gantry;
struct pod;

struct stage1 {
	char *dir;	   /* absolute path of the stage1 directory */
	char *name;	   /* of its image manifest, and version label, for the record */
	unsigned interface;
	char *programs[ENTRY_MAX]; /* absolute paths; NULL: this stage1 cannot do that */
};
#define STAGE1_INIT {0}
void stage1_done(struct stage1 *s);
#define _cleanup_stage1_ __attribute__((cleanup(stage1_done)))

/* The default one. */
int stage1_default(const struct gantry *g, struct stage1 *ret, struct err *e);
/* The one that a pod was started with; pod_dir: its directory. */
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
