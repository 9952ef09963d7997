/*
 * floor_cgroup.c - memory, cpu and pids of one app, in v1 or v2.
 *
 * v1: a single-threaded process moves itself by writing 0 to "tasks"; writing to "cgroup.procs"
 * takes the lock over all thread groups and waits for a grace period (some 11 ms).
 * v2: the app is born in its directory (CLONE_INTO_CGROUP), for the same reason.
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define CGROUP2_MAGIC 0x63677270

struct limit {
	const char *controller;
	const char *file, *value;     /* v1 */
	const char *file2, *value2;   /* v2 */
};

static const struct limit limits[FLOOR_CONTROLLERS] = {
	{ "memory", "memory.limit_in_bytes", "67108864", "memory.max", "67108864" },
	{ "cpu", "cpu.shares", "512", "cpu.weight", "50" },
	{ "pids", "pids.max", "64", "pids.max", "64" },
};

static bool is_unified(void)
{
	struct statfs st;

	return statfs("/sys/fs/cgroup", &st) == 0 && (unsigned long)st.f_type == CGROUP2_MAGIC;
}

static void parent_path(char *buf, size_t len, const char *parent, int i, bool unified)
{
	if (unified)
		(void)snprintf(buf, len, "/sys/fs/cgroup/%s", parent);
	else
		(void)snprintf(buf, len, "/sys/fs/cgroup/%s/%s", limits[i].controller, parent);
}

void floor_cgroups(const char *parent)
{
	static const char enable[] = "+memory +cpu +pids";
	bool unified = is_unified();
	char path[160];

	if (unified)
		floor_write(AT_FDCWD, "/sys/fs/cgroup/cgroup.subtree_control", enable);
	for (int i = 0; i < (unified ? 1 : FLOOR_CONTROLLERS); i++) {
		parent_path(path, sizeof(path), parent, i, unified);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			floor_die(path);
	}
	if (unified) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.subtree_control",
			       parent);
		floor_write(AT_FDCWD, path, enable);
	}
}

static int open_dir(int at, const char *path)
{
	int fd = openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		floor_die(path);
	return fd;
}

void floor_cgroup_make(struct floor_cgroup *cg, const char *parent, int id)
{
	char path[160];

	cg->unified = is_unified();
	cg->count = cg->unified ? 1 : FLOOR_CONTROLLERS;
	(void)snprintf(cg->name, sizeof(cg->name), "%d", id);
	for (int i = 0; i < cg->count; i++) {
		parent_path(path, sizeof(path), parent, i, cg->unified);
		cg->parent[i] = open_dir(AT_FDCWD, path);
		if (mkdirat(cg->parent[i], cg->name, 0755) < 0)
			floor_die(cg->name);
		cg->dir[i] = open_dir(cg->parent[i], cg->name);
	}
	for (int i = 0; i < FLOOR_CONTROLLERS; i++) {
		const struct limit *l = &limits[i];

		floor_write(cg->dir[cg->unified ? 0 : i], cg->unified ? l->file2 : l->file,
			    cg->unified ? l->value2 : l->value);
	}
}

void floor_cgroup_join(const struct floor_cgroup *cg)
{
	if (cg->unified)
		return;
	for (int i = 0; i < cg->count; i++)
		floor_write(cg->dir[i], "tasks", "0");
}

void floor_cgroup_remove(struct floor_cgroup *cg)
{
	for (int i = 0; i < cg->count; i++) {
		if (unlinkat(cg->parent[i], cg->name, AT_REMOVEDIR) < 0)
			floor_die("rmdir of a cgroup");
		close(cg->dir[i]);
		close(cg->parent[i]);
	}
}
