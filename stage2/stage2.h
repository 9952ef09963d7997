/*
 * stage2: the program that becomes an app.  It reads the app record, goes through the table of
 * steps (steps.c) and executes the app's program; what a step has found out for a later one stands
 * in struct stage2.  Nothing runs at the same time: every step may assume that those before it have
 * succeeded.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/fd.h"
#include "contract/app_record.h"

/* What is being started, as a bit for the table. */
enum phase {
	PHASE_MAIN = 1,	     /* the app itself: builds the root */
	PHASE_HANDLER = 2,   /* before it (forked) or after it (joins its mount namespace) */
	PHASE_ENTER = 4,     /* a command that an operator runs beside the app: joins as well */
	/* 8: steps.c */
	PHASE_AGAIN = 16,    /* the app once more, in the mount namespace that it had */
	PHASE_CHECK = 32,    /* how is the app? joins, and its status is the answer */
};

#define MAX_CGROUPS 8
#define MAX_FILTER 4096 /* BPF_MAXINSNS of the kernel */

struct stage2 {
	enum phase phase;
	struct app_record rec;
	const struct app_check *check; /* PHASE_CHECK: which one */
	char *const *argv; /* what is executed in the end: borrowed from rec */

	/* Descriptors, -EBADF once they are used. */
	int error;			       /* reports failures; closed by a successful exec */
	int seccomp;			       /* file with the filter */
	int mntns;			       /* joined instead of building a root */
	struct fd_name cgroups[MAX_CGROUPS];   /* v1 `tasks` files */
	size_t n_cgroups;
	int root;			       /* the app's root: a detached mount, then "/" */
	int pts;			       /* its devpts, where that was made for its terminal */
	int proc, sys;			       /* roots of the app's own procfs and sysfs */

	/* Found by the step `user`; a handler is 0. */
	uid_t uid;
	gid_t gid;

	struct sock_filter *filter;
	size_t n_filter;
	char *program;			       /* found by the step `exec` */

	const char *step;		       /* name of the step that is being made */
	int status;			       /* of a failure of it, enum exit_code */
};

/* steps.c: make all steps of this phase in their order. Returns only on failure. */
int stage2_steps(struct stage2 *s, struct err *e);

/* report.c: tell the parent what failed, in whatever way is still open; ends the process. */
_noreturn_ void stage2_fail(struct stage2 *s, struct err *e);
/*
 * Tell the parent that the next thing is the app's own program (and hand over its mount namespace).
 */
int stage2_ready(struct stage2 *s, struct err *e);

/* Steps, each in the file of its subject. */
int step_cgroup(struct stage2 *s, struct err *e);    /* join.c */
int step_session(struct stage2 *s, struct err *e);
int step_namespaces(struct stage2 *s, struct err *e);
int step_join(struct stage2 *s, struct err *e);
int step_parent(struct stage2 *s, struct err *e);
int step_oom_score(struct stage2 *s, struct err *e); /* limits.c */
int step_rlimits(struct stage2 *s, struct err *e);
int step_root(struct stage2 *s, struct err *e);	     /* root.c */
int step_proc(struct stage2 *s, struct err *e);
int step_sys(struct stage2 *s, struct err *e);
int step_read_only_root(struct stage2 *s, struct err *e);
int step_pivot(struct stage2 *s, struct err *e);
int step_dev(struct stage2 *s, struct err *e);	     /* dev.c */
int step_pts(struct stage2 *s, struct err *e);
int step_volumes(struct stage2 *s, struct err *e);   /* volumes.c */
int step_masks(struct stage2 *s, struct err *e);     /* masks.c */
int step_read_only_paths(struct stage2 *s, struct err *e);
int step_pre_start(struct stage2 *s, struct err *e); /* handler.c */
int step_sockets(struct stage2 *s, struct err *e);   /* sockets.c */
int step_user(struct stage2 *s, struct err *e);	     /* user.c */
int step_bounding(struct stage2 *s, struct err *e);  /* caps.c */
int step_identity(struct stage2 *s, struct err *e);
int step_no_new_privs(struct stage2 *s, struct err *e);
int step_lsm(struct stage2 *s, struct err *e);	     /* lsm.c */
int step_cwd(struct stage2 *s, struct err *e);	     /* exec.c */
int step_program(struct stage2 *s, struct err *e);
int step_ready(struct stage2 *s, struct err *e);     /* report.c */
int step_check(struct stage2 *s, struct err *e);     /* check.c */
int step_seccomp(struct stage2 *s, struct err *e);   /* seccomp.c */
int step_exec(struct stage2 *s, struct err *e);	     /* exec.c */

/*
 * root.c: the directory of gantry's own at `name` below the root; the image may not have a link
 * there.
 */
int root_own_dir(struct stage2 *s, const char *name, struct err *e);
/* Where the root hangs until it is pivoted to. */
#define ROOT_PLACE "/root"
