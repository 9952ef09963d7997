/*
 * Control groups, v1, v2 and hybrid hosts (v1 for what v1 has).  SEAM: struct cg_ops has two
 * implementations.  Values are computed in the plan; these functions only write them.
 *
 * A pod's groups are /gantry/UUID/{_init,APP} from each hierarchy's root; processes only in the leaves, but that init of a
 * v1 pod has a leaf in one hierarchy only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* What is asked of one leaf (or of the pod's inner group); -1: not asked. */
struct cg_limits {
	int64_t memory_bytes;	/* limit; swap becomes 0 beside it */
	int64_t memory_request; /* what is reclaimed from others first: v1 soft limit, v2 memory.low */
	int64_t cpu_milli;	/* limit in thousandths of a core: quota over a period of 100 ms */
	int64_t cpu_shares;	/* 2..262144, v1 scale; converted for v2 */
	int64_t pids;
	int64_t block_bytes, block_ops; /* a second, for reading and for writing, each of the disks */
	const struct cg_disk *disks;
	size_t n_disks;
	bool devices;		/* deny all, then the list */
	const struct cg_device *device_list;
	size_t n_devices;
};
#define CG_LIMITS_NONE                                                                             \
	{.memory_bytes = -1, .memory_request = -1, .cpu_milli = -1, .cpu_shares = -1, .pids = -1,  \
	 .block_bytes = -1, .block_ops = -1}

struct cg_disk {
	unsigned major, minor;
};

struct cg_device {
	char type;	      /* 'c', 'b', 'a' */
	int64_t major, minor; /* -1: any */
	const char *access;   /* letters of "rwm" */
};

enum cg_version { CG_V1, CG_V2 };

/* What this host has: found once from /proc/self/mountinfo. */
struct cg_host;
struct cg_host *cg_host_detect(struct err *e);
void cg_host_free(struct cg_host *h);
enum cg_version cg_host_version(const struct cg_host *h);
/* Controllers that the asked limits need and the host lacks: an error naming the first one. */
int cg_host_can(const struct cg_host *h, const struct cg_limits *l, struct err *e);
/*
 * Leave out, from here on, controllers that none of these limits needs: every directory costs at the
 * start and at the end of a pod. The freezer stays, by which a group is killed.
 */
void cg_host_restrict(struct cg_host *h, const struct cg_limits *const *limits, size_t n);
/* The same to the hierarchies in which this group exists; -ENOENT: in none. */
int cg_host_restrict_to(struct cg_host *h, const char *group, struct err *e);
/* Absolute paths of the directories that the group "gantry/UUID/LEAF" would have (strv, owned by the caller). Changes nothing. */
char **cg_paths(const struct cg_host *h, const char *group);

/* Open descriptors of one leaf, for the process that will join and kill it. */
struct cg_leaf {
	int join[8];  /* v1: `tasks` files, one each hierarchy: a single-threaded child writes "0" */
	size_t n_join;
	int dir;      /* v2: directory, for CLONE_INTO_CGROUP and cgroup.kill; -EBADF on v1 */
	int freezer;  /* v1: freezer directory, for killing; -EBADF on v2 */
};
#define CG_LEAF_INIT {.n_join = 0, .dir = -EBADF, .freezer = -EBADF}
/* Make the group (parents as needed, controllers enabled on the way), apply the limits. */
int cg_make(const struct cg_host *h, const char *group, const struct cg_limits *l, struct err *e);
int cg_open_leaf(const struct cg_host *h, const char *group, struct cg_leaf *ret, struct err *e);
void cg_leaf_close(struct cg_leaf *leaf);

/*
 * The same for the pod's init, which has no limits of its own: `leaf` below the pod's group, by which it is known. v1: in
 * the freezer's hierarchy; in all others init is in the pod's group itself, since each directory costs 60 us of CPU.
 */
char **cg_init_paths(const struct cg_host *h, const char *group, const char *leaf);
int cg_make_init(const struct cg_host *h, const char *group, const char *leaf, struct cg_leaf *ret, struct err *e);

/* --- cgroup_kill.c: JSON-free and without detection, for init, monitor and entry points --- */
/*
 * Kill everything in the leaf until it is empty: v2 cgroup.kill; v1 freeze, kill all of cgroup.procs, thaw, again.
 * control: what is written for that, freezer.state or cgroup.kill, where the caller may not open it; else -EBADF.
 */
int cg_kill_leaf(int dir, int freezer, int control);
/* The name of that file on this side of the seam. */
#define CG_KILL_V2 "cgroup.kill"
#define CG_FREEZE_V1 "freezer.state"
/* Remove directories listed one a line (deepest first); missing is fine; EBUSY is retried for at most timeout_ms. */
int cg_remove_listed(const char *list, int timeout_ms, struct err *e);
/* Remove the group "gantry" above the listed ones where it is empty: nothing of ours is left on the host then. */
void cg_remove_top(const char *list);
