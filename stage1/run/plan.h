/*
 * The plan: what the manifests, the arguments and the host come to, as plain data.  Making one changes
 * nothing anywhere; it can be printed (--dry-run) and is what the unit tests look at.  sandbox.c
 * carries it out.
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "contract/app_record.h"
#include "contract/entry.h"
#include "contract/pod_record.h"
#include "stage1/net/net.h"
#include "stage1/run/listening.h"
#include "stage1/run/pod.h"
#include "sys/cgroup.h"

/* What the plan needs to know of the host, found before: a test gives its own. */
struct host_facts {
	struct cg_host *cgroups; /* is restricted to what is needed; NULL: limits are not checked against it */
	uint64_t caps;		 /* that this process may hand out */
	bool terminal;		 /* standard input is one */
	const char *term;	 /* its kind, TERM; may be NULL */
	const struct listening_list *listening; /* sockets of the service manager; NULL: none */
	uint64_t files_soft, files_hard; /* limit of open files; 0: not of interest */
	dev_t pod_device;		 /* st_dev of the pod's directory */
	const char *sys;		 /* where the host's sysfs is; NULL: /sys */
};

enum plan_source {
	SOURCE_HOST,  /* a volume of the host */
	SOURCE_EMPTY, /* a directory of the pod */
	SOURCE_FILE,  /* a file of the pod below etc/ */
	SOURCE_TMPFS, /* a file system in memory, of its own */
};

struct plan_mount {
	enum plan_source source;
	char *volume; /* name of the volume, for messages; NULL for files */
	char *path;   /* SOURCE_HOST: absolute; SOURCE_TMPFS: NULL; else relative to the pod directory */
	char *target; /* clean, absolute in the app's root */
	bool read_only, recursive;
	bool read_only_given; /* by the volume: no mount point changes it */
	bool dir;
	dev_t file_system; /* SOURCE_HOST: st_dev of the source */
	dev_t device;	   /* not 0: the source is a device node with this number */
	char device_type;  /* 'b', 'c' */
	bool filled;	   /* SOURCE_EMPTY that begins with what the image has at the target */
	bool back;	   /* chroot: what the app mounts on it is mounted on the host as well */
	bool only_with_dns; /* resolv.conf of the network: left out when the network says nothing */
};

/* A directory below sharedVolumes. */
struct plan_volume {
	char *path;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* A file below etc/ with its content. */
struct plan_file {
	char *path, *content;
};

struct plan_app {
	const char *name; /* borrowed from the pod */
	struct tree *tree; /* borrowed from the pod */
	char *group;	  /* "gantry/UUID/APP" */
	enum pod_stream streams[3];
	int *listen; /* the service manager's sockets, by the index of record.listen; -1: to be made */
	size_t n_listen;
	char *notify; /* the socket for sd_notify(3), relative to the pod directory; NULL: the app has none */
	struct pod_record_app life; /* stop signal, restart policy, checks: its name and streams are not set */
	struct app_record record; /* without mounts: records.c adds what was really opened */
	struct plan_mount *mounts; /* in their order */
	size_t n_mounts;
	struct cg_limits limits;
	struct cg_device *devices; /* of limits, owned */
	size_t n_devices;
	struct cg_disk *disks; /* of limits, owned */
	const struct isolator_list *isolators; /* borrowed: those of seccomp count, when record.seccomp */
};

struct plan {
	char *uuid, *hostname;
	char *group; /* "gantry/UUID" */
	struct id_map ids; /* of a user namespace of the pod's own; count 0: it has none */
	bool overlay, private_net, private_ipc;
	bool chroot; /* nothing but the root and the mounts is the pod's own: flavour fly */
	bool interactive;	    /* the app has our standard input, */
	bool terminal;		    /* by way of a terminal of its own */
	char **nets;		    /* to be asked of the network runtime; empty for none and host */
	struct net_port *ports;	    /* of the host, that lead to this pod */
	size_t n_ports;
	int64_t net_bytes;	    /* a second, each way; 0: not limited */
	bool limited;		    /* the pod itself has limits */
	struct cg_limits limits;
	struct cg_disk *disks; /* of limits, owned */
	const struct isolator_list *isolators; /* borrowed */
	int64_t stop_timeout_ms; /* -1: the usual */
	char **sysctls;	/* "KEY=VALUE" */
	char **cgroups; /* directories, deepest first */
	struct plan_volume *volumes;
	size_t n_volumes;
	struct plan_file *files;
	size_t n_files;
	struct plan_app *apps;
	size_t n_apps;
	uint64_t files_limit; /* not 0: so many open files must be allowed to run and init */
	char **notes; /* what an operator should be told, one line each */
};

/* The record's exec, user, groups, working directory and handlers: as the manifest has them. */
int plan_identity(const struct app *app, struct app_record *rec, struct err *e);
int plan_make(const struct pod *pod, const struct entry_args *args, const struct host_facts *facts,
	      struct plan **ret, struct err *e);
/* The plan in lines that a person can read. */
void plan_print(const struct plan *plan, FILE *f);
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)
#define _cleanup_plan_ __attribute__((cleanup(cleanup_plan_free)))

/* --- plan_mounts.c --- */
/* Volumes of one app: plan->volumes, pa->mounts. */
int plan_mounts(const struct pod *pod, const struct pod_app *a, struct plan *plan, struct plan_app *pa,
		struct err *e);
/* Whether the image's users expect what docker does. */
bool plan_is_of_docker(const struct image_manifest *image);
/* plan_masking.c: notes about what they hide of the image. */
int plan_masking(const struct pod *pod, struct plan *plan, const struct plan_app *pa, struct err *e);
/* The mount that covers the path (its target is the path or above it), or NULL. */
const struct plan_mount *plan_covered(const struct plan_app *pa, const char *path);
struct plan_mount *plan_add_mount(struct plan_app *pa);

/* --- plan_files.c --- */
enum plan_dns { DNS_DEFAULT, DNS_HOST, DNS_STAGE0, DNS_NONE };
/* "resolv=...,hosts=..."; NULL: both default. */
int plan_dns_mode(const char *text, enum plan_dns *ret_resolv, enum plan_dns *ret_hosts, struct err *e);
/* etc/hostname, etc/hosts, etc/resolv.conf: plan->files and the apps' mounts, which are there already. */
int plan_files(const struct pod *pod, enum plan_dns resolv, enum plan_dns hosts, struct plan *plan,
	       struct err *e);

/* --- plan_isolators.c --- */
int plan_app_isolators(const struct isolator_list *l, const struct entry_args *args,
		       const struct host_facts *facts, struct plan_app *pa, struct err *e);
int plan_pod_isolators(const struct isolator_list *l, const struct host_facts *facts, struct plan *plan,
		       struct err *e);

/* --- plan_ports.c --- */
int plan_ports(const struct pod *pod, struct plan *plan, struct err *e);

/* What is left to do when all apps are planned: disks, requests, what the pod says for all of them. */
int plan_pod_bounds(const struct host_facts *facts, struct plan *plan, struct err *e);
/* Tell about each isolator what becomes of it, on the debug level. */
void plan_report(const struct plan *plan);

/* --- plan_blocks.c --- */
/* Which disks the limits of an app, and of the pod, are for. */
int plan_blocks(const struct host_facts *facts, struct plan *plan, struct err *e);

/* --- plan_bandwidth.c --- */
/* resource/network-bandwidth of the pod, or of its only app: plan->net_bytes. */
int plan_bandwidth(struct plan *plan, struct err *e);

/* --- plan_sysctl.c --- */
int plan_sysctls(const struct isolator *iso, struct plan *plan, struct err *e);

/* --- plan_life.c --- */
/* How an app lives: its stop signal, whether it is started again, what asks how it is. */
int plan_life(const struct isolator *iso, struct plan_app *pa, struct err *e);

/* --- plan_lsm.c --- */
int plan_lsm(const struct isolator *iso, const struct host_facts *facts, struct app_record *rec, struct err *e);

/* --- plan_streams.c --- */
/* --interactive of the pod, then what each app has as its standard streams. */
int plan_interactive(size_t n_apps, const struct entry_args *args, const struct host_facts *facts,
		     struct plan *plan, struct err *e);
int plan_streams(const struct runtime_app *ra, const struct plan *plan, struct plan_app *pa, struct err *e);

/* --- plan_listen.c --- */
/* The sockets of one app; then, when all have theirs, a note on those that nobody wants. */
void plan_listen(const struct pod *pod, const struct app *app, const struct host_facts *facts,
		 struct plan *plan, struct plan_app *pa);
void plan_listen_rest(const struct host_facts *facts, struct plan *plan);

/* --- plan_users.c --- */
/* What of the plan is known to be impossible with the ids that the pod has; does nothing without. */
int plan_users(struct plan *plan, struct err *e);

/* --- plan_notify.c --- */
/* After the volumes. */
void plan_notify(const struct pod_app *a, size_t index, struct plan *plan, struct plan_app *pa);

/* --- environment.c --- */
/*
 * The whole environment of the app, strv, owned by the caller; term: TERM where the app has none, or
 * NULL; login: HOME, USER and LOGNAME are left to stage2 (app_record.login_env).
 */
char **plan_environment(const char *app_name, const struct nameval_list *vars, const char *term, bool login);
