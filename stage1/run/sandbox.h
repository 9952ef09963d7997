/*
 * Carrying a plan out: from mount objects to the start of the pod's init, and back when something
 * fails.  sandbox.c holds the order; each step is a file of its own and leaves what it made in the
 * struct, from where sandbox_undo() takes it back.
 */
#pragma once

#include "base/fd.h"
#include "stage1/net/net.h"
#include "stage1/run/fd_list.h"
#include "stage1/run/plan.h"

struct sandbox_app {
	int record;  /* memory file; filled and sealed before the go byte */
	int root;    /* detached mount */
	int seccomp; /* the compiled filter, or -EBADF */
	int notify;  /* where the app says that it is ready, or -EBADF */
	int *mounts; /* detached mounts, as many as the plan has for the app */
	size_t n_mounts;
	struct cg_leaf leaf;
};

#define SANDBOX_NOTES 4

struct sandbox {
	const struct plan *plan;
	const struct entry_args *args;
	const struct cg_host *cgroups;
	int pod;    /* the pod directory, which is also the working directory */
	int lock, error, ready, log; /* from stage0, -EBADF where absent */

	struct sandbox_app *apps;
	struct cg_leaf init_leaf;
	bool cgroups_listed; /* the file `cgroup` is written: directories may exist */
	int init, stage2;    /* programs to execute */
	int hostself, record;
	int go[2], alive[2], status[2], out[2], err[2]; /* pipes: read end, write end */
	int in[2];		/* the same, for --interactive without a terminal */
	int pts, pty, tty;	/* the app's devpts, not attached yet; master and slave of a terminal in it */

	/* --private-users: a namespace with the pod's ids; what the pod shares with the host; directories of init's. */
	int users, sys, mqueue, notes[SANDBOX_NOTES];

	pid_t pid;
	int pidfd, netns;
	struct net_plan *net; /* NULL: no network to set up */
	bool net_begun;
	struct net_result net_result;
};

void sandbox_init(struct sandbox *sb, const struct plan *plan, const struct entry_args *args,
		  const struct cg_host *cgroups, int pod);
/* Does everything and becomes the monitor; comes back only with an error, after having undone all. */
int sandbox_run(struct sandbox *sb, struct err *e);
void sandbox_done(struct sandbox *sb);

/* --- files.c: what lies in the pod directory --- */
int sandbox_files(struct sandbox *sb, struct err *e);
/*
 * A new file that nobody looks for before the pod runs: no rename. Returns the descriptor, at its end.
 */
int sandbox_put(struct sandbox *sb, const char *path, const void *data, size_t len, mode_t mode, struct err *e);
/* The resolv.conf that the network named, in place; does nothing when it named none. */
int sandbox_resolv(struct sandbox *sb, struct err *e);
int sandbox_pid_file(struct sandbox *sb, struct err *e);

/* --- notify.c --- */
int sandbox_notify(struct sandbox *sb, struct err *e);

/* --- cgroups.c --- */
int sandbox_cgroups(struct sandbox *sb, struct err *e);

/* --- users.c: --private-users --- */
/* What must be there before the mounts are made; nothing without the option. */
int sandbox_users(struct sandbox *sb, struct err *e);
/* The ids of a process that was born into a new user namespace, and which waits for that. */
int sandbox_map_ids(const struct sandbox *sb, pid_t pid, struct err *e);
/* Its other half: in that process, when it has heard that it is so. */
int sandbox_become_root(struct sandbox *sb, struct err *e);
/* What an errno value of clone(2) says of user namespaces; NULL: nothing. */
const char *sandbox_no_users(int code);
/* What init gets for it. */
void sandbox_users_fds(const struct sandbox *sb, struct fd_list *l);
/* The owner of what is made for the app's user 0 outside of ID-mapped mounts; does nothing without the option. */
int sandbox_own(const struct sandbox *sb, int fd, struct err *e);

/* --- mounts.c: roots and volumes as mount objects, attached nowhere --- */
int sandbox_mounts(struct sandbox *sb, struct err *e);

/* --- streams.c: what --interactive needs --- */
int sandbox_streams(struct sandbox *sb, struct err *e);

/* --- filters.c: compiled seccomp programs --- */
int sandbox_filters(struct sandbox *sb, struct err *e);

/* --- metadata.c --- */
/* For a registered pod whose networks lead here; else NULL. Owned by the caller. */
int sandbox_metadata_url(struct sandbox *sb, char **ret, struct err *e);

/* --- records.c --- */
int sandbox_pod_record(struct sandbox *sb, struct err *e);
int sandbox_app_records(struct sandbox *sb, struct err *e);

/* --- child.c: the process that becomes init --- */
int sandbox_child(struct sandbox *sb, struct err *e);

/* --- monitor.c --- */
/* Become the monitor; returns only on failure. */
int sandbox_monitor(struct sandbox *sb, struct err *e);
