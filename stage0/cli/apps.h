/*
 * The words behind run and prepare: images with options of their own.
 *
 *	[pod options] IMAGE [app options] [-- args [---]] IMAGE ...
 *
 * Parsing fills structs and touches nothing else.
 */
#pragma once

#include <sys/types.h>

#include "base/opt.h"
#include "spec/pod_manifest.h"

struct gantry;
struct command;

struct app_request {
	char *image;	 /* as written */
	char *signature; /* --signature, or NULL */
	char *name;	 /* --name, or NULL */
	char *exec, *working_dir, *user, *group;
	char **args; /* behind "--" */
	bool has_args;
	char *supplementary_gids;
	char *read_only_root; /* "true", "false", NULL: not given */
	char **mounts;	      /* "volume=NAME,target=PATH" */
	char **environment;
	char *memory, *cpu, *cpu_shares, *oom_score_adj, *pids;
	char *caps_retain, *caps_remove;
	char *seccomp;
	char **annotations, **user_annotations, **user_labels;
	char *std_in, *std_out, *std_err; /* --stdin, --stdout, --stderr: modes */
};

/* What run and prepare have in common. */
struct pod_request {
	struct app_request *apps;
	size_t n_apps;
	char **volumes, **mounts, **ports;
	char **annotations, **user_annotations, **user_labels; /* those before the first image */
	char *pod_name; /* --pod-name, or NULL */
	bool inherit_env, no_overlay;
	char **set_env, **set_env_file;
	char *pull_policy;
	bool store_only, no_store; /* become a pull policy in pod_request_check() */
	char *pod_manifest;
};

extern const struct opt pod_request_opts[];
extern const size_t n_pod_request_opts;
extern const struct opt app_request_opts[];
extern const size_t n_app_request_opts;

/*
 * Read the words of run or prepare: cmd's own options into `target`, `more` (may be NULL) into its
 * own target, what stands above into `req`.
 */
int apps_parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
	       struct pod_request *req, const struct opt_table *more, struct err *e);
/* What goes together, and something to run. */
int pod_request_check(struct pod_request *req, struct err *e);
void pod_request_done(struct pod_request *req);
