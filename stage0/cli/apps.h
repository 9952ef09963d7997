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

/* What a manifest of another kind asks of an app, beyond the options of the command line. */
struct app_more {
	char **command; /* replaces what the image executes, arguments included */
	struct isolator_list isolators;
	struct app_port *ports; /* beside those of the image */
	size_t n_ports;
	char **read_only;  /* targets of mounts that this app may only read */
	char *pull_policy; /* of its image */
};

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
	struct app_more *more;		  /* NULL for the command line */
};

/* A file that an empty volume begins with. */
struct volume_file {
	char *volume, *name; /* name: one component */
	char *content;
	mode_t mode;
};

/* What run and prepare have in common. */
struct pod_request {
	struct app_request *apps;
	size_t n_apps;
	char **volumes, **mounts, **ports;
	char **annotations, **user_annotations, **user_labels; /* those before the first image */
	char *pod_name; /* --pod-name, or NULL */
	bool inherit_env, no_overlay, private_users;
	char **set_env, **set_env_file;
	char *pull_policy;
	bool store_only, no_store; /* become a pull policy in pod_request_check() */
	char *pod_manifest, **configmaps;
	/* pod_manifest, read: NULL while it is not. */
	char *manifest_text;
	size_t manifest_len;
	/* Of a manifest of another kind, beside the above. */
	struct volume *more_volumes;
	size_t n_more_volumes;
	struct pod_port *more_ports;
	size_t n_more_ports;
	struct isolator_list isolators;
	struct volume_file *files;
	size_t n_files;
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
