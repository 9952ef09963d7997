/*
 * SEAM between lib/sys/cgroup.c and the two implementations; private to lib/sys.
 */
#pragma once

#include "sys/cgroup.h"

/* One mounted hierarchy: on v1 several controllers may share it; on v2 there is one. */
struct cg_hierarchy {
	char *mount;	   /* where it is mounted */
	char **controllers; /* v1: names in it */
};

struct cg_host {
	enum cg_version version;
	const struct cg_ops *ops;
	struct cg_hierarchy *v1;
	size_t n_v1;
	char *v2;	     /* mount of cgroup2, NULL when there is none */
	char **controllers;  /* all that can be used */
};

struct cg_ops {
	/* Directories of the group, for every hierarchy that is used. */
	char **(*paths)(const struct cg_host *h, const char *group);
	int (*make)(const struct cg_host *h, const char *group, const struct cg_limits *l, struct err *e);
	int (*open_leaf)(const struct cg_host *h, const char *group, struct cg_leaf *ret, struct err *e);
	/* Only those directories of init's that are its own; both of them. */
	char **(*init_paths)(const struct cg_host *h, const char *group, const char *leaf);
	int (*make_init)(const struct cg_host *h, const char *group, const char *leaf, struct cg_leaf *ret, struct err *e);
};

extern const struct cg_ops cg_v1_ops, cg_v2_ops;

/* One limit and the file that carries it. */
struct cg_value {
	const char *controller, *file;
	char *text;
};
/* Write `text` into file of the directory; the error names both. */
int cg_write(int dirfd, const char *dir, const char *file, const char *text, struct err *e);
/* How often a group that somebody removes beside us is made anew. */
#define CG_TRIES 64
/* mkdir with parents below an existing mount; EEXIST is fine. */
int cg_mkdirs(const char *mount, const char *group, struct err *e);

/* cpu.shares 2..262144 to cpu.weight 1..10000. */
int64_t cg_weight_of_shares(int64_t shares);

/* cgroup_devices.c: v2 has no devices controller but an eBPF hook. */
int cg_devices_attach(int dirfd, const struct cg_limits *l, struct err *e);
