/*
 * Contract 1, the argument vectors: what stage0 says to the programs of a stage1.
 *
 * One table (entry.c) holds every option with the interface version that brought it.  stage0 builds
 * argv from it for whatever version the chosen stage1 has, stage1 parses by it; so the two cannot
 * drift apart.  Versions only grow, and a released option never changes its meaning.
 *
 * An option that is set and that the stage1 does not know yet: refused when leaving it out would
 * change what isolates the pod or what happens at all (`security`), else left out and reported.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "contract/id_map.h"

/* The version that this tree speaks: 1 to 6 are rkt's, 7 brought the options of gantry. */
#define ENTRY_VERSION 7
/* From this one on a stage1 tells of each app (status/APP, started/APP) and by pipes of the start. */
#define ENTRY_VERSION_APPS 7

/* Annotation of a stage1 manifest that tells its version; absent: 1. */
#define ENTRY_VERSION_ANNOTATION "coreos.com/rkt/stage1/interface-version"

enum entry_point { ENTRY_RUN, ENTRY_ENTER, ENTRY_STOP, ENTRY_GC, ENTRY_MAX };

/* All arguments of all entry points; each uses its own. NULL, false and 0: not given. */
struct entry_args {
	bool debug;
	char *uuid; /* run, stop, gc: the last word */

	/* run */
	char **nets; /* strv of "NAME", "NAME:K=V;K2=V2", "none", "host"; NULL: "default" */
	char **net_dirs; /* strv of directories with networks, after LOCAL_CONFIG/net.d */
	char *local_config, *system_config; /* local_config: gc too */
	char *data_dir;
	char *hostname;
	char *mds_token; /* for interfaces before 7: a later one reads the pod's note (contract/metadata.h) */
	char *dns_conf_mode; /* "resolv=host|stage0|none|default,hosts=host|stage0|default" */
	char *ipc;	     /* "auto", "private", "parent" */
	bool no_capabilities, no_paths, no_seccomp;
	bool foreground; /* the pod's output goes to 1 and 2 */
	bool dry_run;	 /* print the plan, change nothing */
	struct id_map private_users; /* the pod has a user namespace with these ids; count 0: none */
	bool interactive; /* the caller's standard input, or a terminal in place of the caller's */

	/* enter */
	pid_t pid; /* of the pod's init */
	char *app, *user, *group;
	char **command; /* strv, not empty */

	/* stop */
	bool force;
};
#define ENTRY_ARGS_INIT {0}
void entry_args_done(struct entry_args *a);
#define _cleanup_entry_args_ __attribute__((cleanup(entry_args_done)))

/* "coreos.com/rkt/stage1/run": the annotation that names the program. */
const char *entry_annotation(enum entry_point point);
/* "run" */
const char *entry_name(enum entry_point point);

/*
 * argv for a stage1 of that version, argv[0] = arg0; strv, owned by the caller.  ret_dropped (may be
 * NULL): the options that were left out, strv, for a warning.  -EOPNOTSUPP: a security option that the
 * stage1 does not know, named.
 */
int entry_argv(enum entry_point point, unsigned version, const char *arg0, const struct entry_args *a,
	       char ***ret_argv, char ***ret_dropped, struct err *e);
/* The other direction. Unknown option, missing or surplus word: -EINVAL. */
int entry_parse(enum entry_point point, int argc, char *const *argv, struct entry_args *ret, struct err *e);
