/*
 * The app record: all that stage2 needs to know to become an app (stage1/run writes it, stage2
 * reads it from the descriptor `record`; a copy in appsinfo/APP/record serves `enter`).
 *
 * One struct, one table of keys (app_record.c) for writing and reading.  The reader refuses what it
 * does not know: an isolator that is not understood would not be applied.  The order of entries
 * says nothing about the order of steps, which is stage2/steps.c's, except that mounts are made in
 * theirs.
 *
 * Every pointer in the struct is owned by it; start with APP_RECORD_INIT, end with
 * app_record_done().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/record.h"
#include "base/str.h"
#include "spec/check.h"

#define APP_RECORD_VERSION 1

/* One volume or file: the mount object comes as the descriptor `mountN`. */
struct app_mount {
	unsigned fd;	/* N */
	bool read_only;
	bool dir;	/* what a missing target is made as, and what an existing one must be */
	bool recursive; /* read_only holds for the mounts below it as well */
	char *target;	/* absolute in the app's root */
};

struct app_rlimit {
	char *name;	     /* "nofile", "core": RLIMIT_ without its prefix, lower case */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

/* How a check is made; when, the pod's init knows. */
struct app_check {
	enum check_how how;
	unsigned port;	 /* HTTP, TCP */
	char *host;	 /* of them: an address */
	char *path;	 /* HTTP */
	char **args;	 /* EXEC: argv; HTTP: lines of the header */
};

struct app_record {
	char *app;		  /* name, for messages */
	char **exec;		  /* argv of the app, not empty */
	char *cwd;		  /* absolute */
	bool make_cwd;		  /* where it is missing */
	char *user, *group;	  /* words; resolved by stage2 inside the final root */
	gid_t *gids;		  /* supplementary groups */
	size_t n_gids;
	bool login_groups;	  /* besides these the user's own, as the image has them; group does not count */
	char **env;		  /* K=V, complete: nothing is added but by this list, and by the next */
	bool login_env;		  /* HOME, USER and LOGNAME, where env has none, as the image's passwd gives them */
	uint64_t caps_bounding;	  /* masks, bit n is capability n */
	uint64_t caps_ambient;
	bool no_new_privs;
	bool seccomp;		  /* descriptor `seccomp` holds a struct sock_filter[] */
	struct app_rlimit *rlimits;
	size_t n_rlimits;
	bool has_oom_score_adj;
	int oom_score_adj;
	char *apparmor; /* profile to be in from the exec on; NULL: as it comes */
	char *selinux;	/* context, "user:role:type:level"; NULL: as it comes */
	bool read_only_root;
	bool paths;   /* false: no masks, nothing of /proc and /sys read-only (--disable-paths) */
	char **masks; /* absolute; made empty. Missing in this kernel: nothing to do */
	char **read_only_paths;	  /* absolute */
	struct app_mount *mounts; /* in the order in which they are made */
	size_t n_mounts;
	char **pre_start, **post_stop; /* argv of the event handlers, NULL: none */
	/*
	 * Listening sockets for sd_listen_fds(3), in their order: "fd NAME" comes as the descriptor
	 * `listenI`, "tcp PORT NAME" and "udp PORT NAME" are made in the pod's network.
	 */
	char **listen;
	struct app_check *checks;
	size_t n_checks;
	bool again;		  /* the program may be started again after it has ended */
	bool shm;		  /* the pod's /shm becomes /dev/shm */
	bool private_users;	  /* the pod has a user namespace */
	bool chroot; /* fly: another root and user, and nothing else that confines */
	bool tty;
};
/* Defaults: paths and shm on, everything else empty or off. */
#define APP_RECORD_INIT {.paths = true, .shm = true}

/* An element of `listen` in its parts; port 0: it comes as a descriptor. name points into text. */
int app_record_parse_listen(const char *text, bool *ret_udp, unsigned *ret_port,
			    const char **ret_name);

/* Append a copy of it (for the writer). */
void app_record_add_gid(struct app_record *rec, gid_t gid);
void app_record_add_rlimit(struct app_record *rec, const char *name, uint64_t soft, uint64_t hard);
void app_record_add_mount(struct app_record *rec, unsigned fd, bool read_only, bool dir,
			  bool recursive, const char *target);
struct app_check *app_record_add_check(struct app_record *rec, enum check_how how, unsigned port,
				       const char *host, const char *path);
/* Whether init keeps the app's mount namespace, for what is started in it after the app. */
static inline bool app_record_keeps_namespace(const struct app_record *rec)
{
	return rec->post_stop || rec->again || rec->n_checks;
}
/* masks and read_only_paths as gantry has them by default. */
void app_record_default_paths(struct app_record *rec);

/* Add the whole record to an empty sb. */
void app_record_encode(const struct app_record *rec, struct strbuf *sb);
/*
 * Fill an initialised *ret. Unknown key, missing key, one given twice, bad value: -EINVAL, and the
 * message names the key.
 */
int app_record_decode(struct record *in, struct app_record *ret, struct err *e);
/* The same from a descriptor. */
int app_record_read(int fd, struct app_record *ret, struct err *e);
void app_record_done(struct app_record *rec);
#define _cleanup_app_record_ __attribute__((cleanup(app_record_done)))
