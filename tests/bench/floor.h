/*
 * floor.h - the parts of the floor program.
 *
 * The floor does the kernel work of one container, or of a pod of two, by the shortest way that is
 * known, and nothing else: no manifest, no store, no record, no log. What a runtime needs beyond it
 * is the runtime's own price.
 *
 * Errors: every function ends the program with one line, since a floor that fails measures nothing.
 * Processes: floor_root(), floor_app_net() and floor_join() run in the child, between clone and
 * exec, in the address space of the parent (CLONE_VM): they keep no state of their own.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define FLOOR_CONTROLLERS 3

/* What is the same for every app of one run; filled by main(), then read only. */
struct floor_plan {
	const char *rootfs;	/* lower layer of every app */
	const char *work;	/* directory for upper layers, on a tmpfs */
	const char *filter;	/* file with a compiled seccomp program */
	const char *cgroup;	/* directory below each hierarchy's root, made by "floor cgroups" */
	char *const *argv;	/* what the app executes */
	bool kill;		/* end the pod as soon as both apps run, as stop and rm do */
};

/* One app's cgroup: three directories in v1, one in v2. */
struct floor_cgroup {
	int dir[FLOOR_CONTROLLERS];
	int parent[FLOOR_CONTROLLERS];
	int count;
	bool unified;
	char name[16];
};

_Noreturn void floor_die(const char *what);
void floor_write(int dir, const char *file, const char *value);

/* Make the parent directory in every hierarchy that the floor uses. */
void floor_cgroups(const char *parent);
void floor_cgroup_make(struct floor_cgroup *cg, const char *parent, int id);
void floor_cgroup_join(const struct floor_cgroup *cg);
void floor_cgroup_remove(struct floor_cgroup *cg);

/* Mount and enter the root whose upper layer lies in "layer" (which has u, w and m). */
void floor_root(const char *rootfs, const char *layer);

void floor_loopback_up(void);
/* Route netlink socket; it stays with the namespace that it was opened in. */
int floor_netlink(void);
/* A veth pair from the namespace of "host" to the caller's, addresses and routes at both ends. */
void floor_veth(int host, int id);
