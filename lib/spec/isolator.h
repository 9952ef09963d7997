/*
 * Isolators (appc specification "Isolators", and those of gantry/): one table from name to decoder.
 * An isolator that this table does not know is an error: what was asked for is applied or refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

enum isolator_kind {
	ISO_CPU,	   /* resource/cpu */
	ISO_MEMORY,	   /* resource/memory */
	ISO_BLOCK_BW,	   /* resource/block-bandwidth */
	ISO_BLOCK_IOPS,	   /* resource/block-iops */
	ISO_NET_BW,	   /* resource/network-bandwidth */
	ISO_CAPS_RETAIN,   /* os/linux/capabilities-retain-set */
	ISO_CAPS_REMOVE,   /* os/linux/capabilities-remove-set */
	ISO_NO_NEW_PRIVS,  /* os/linux/no-new-privileges */
	ISO_SECCOMP_RETAIN,/* os/linux/seccomp-retain-set */
	ISO_SECCOMP_REMOVE,/* os/linux/seccomp-remove-set */
	ISO_SELINUX,	   /* os/linux/selinux-context */
	ISO_APPARMOR,	   /* os/linux/apparmor-profile */
	ISO_SYSCTL,	   /* os/unix/sysctl */
	ISO_CPU_SHARES,	   /* os/linux/cpu-shares */
	ISO_OOM_SCORE_ADJ, /* os/linux/oom-score-adj */
	ISO_PIDS,	   /* gantry/pids */
	ISO_STOP_SIGNAL,   /* gantry/stop-signal */
	ISO_LOGIN_GROUPS,  /* gantry/login-groups */
	ISO_INIT_APP,	   /* gantry/init-app */
	ISO_RESTART,	   /* gantry/restart */
	ISO_HEALTHCHECK,   /* gantry/healthcheck */
	ISO_PROBE,	   /* gantry/probe, may be there several times */
	ISO_STOP_TIMEOUT,  /* gantry/stop-timeout */
	ISO_KIND_MAX,
};

/* A request and a limit: bytes for memory, thousandths of a core for cpu; -1 when absent. */
struct iso_resource {
	int64_t request, limit;
	bool is_default;
};

struct isolator {
	enum isolator_kind kind;
	union {
		struct iso_resource resource; /* CPU, MEMORY, BLOCK_*, NET_BW */
		bool flag;		      /* NO_NEW_PRIVS, LOGIN_GROUPS, INIT_APP */
		int64_t number;		      /* CPU_SHARES, OOM_SCORE_ADJ, PIDS (limit) */
		struct {
			char **set;   /* CAP_X names, or system calls and @wildcards */
			char *err_no; /* seccomp only: "EPERM", or NULL */
		} names;	      /* CAPS_*, SECCOMP_* */
		/*
		 * SELINUX, APPARMOR, SYSCTL, STOP_SIGNAL, RESTART, HEALTHCHECK, PROBE, STOP_TIMEOUT:
		 * checked for form, kept as JSON (the last five: check_decode.h)
		 */
		cJSON *raw;
	};
};

struct isolator_list {
	struct isolator *v;
	size_t n;
};

enum isolator_scope { ISO_SCOPE_APP = 1, ISO_SCOPE_POD = 2 };

/* The array of {name, value}; refuses unknown names, wrong scope, duplicates, retain with remove. JSON_F_CALL forms: */
int isolators_decode_app(const cJSON *j, const struct json_at *at, void *list, struct err *e);
int isolators_decode_pod(const cJSON *j, const struct json_at *at, void *list, struct err *e);
/*
 * One more in the list, from its name and its value (taken over), by the same rules; at: where messages say
 * that the array of them is.
 */
int isolators_decode_one(enum isolator_scope scope, const char *name, cJSON *value, const struct json_at *at,
			 struct isolator_list *list, struct err *e);
cJSON *isolators_encode(const struct isolator_list *l);
const struct isolator *isolator_find(const struct isolator_list *l, enum isolator_kind kind);
/* Remove those of the kind; append a deep copy / take over. */
void isolators_remove(struct isolator_list *l, enum isolator_kind kind);
void isolators_add(struct isolator_list *l, struct isolator iso);
void isolators_copy(struct isolator_list *dst, const struct isolator_list *src);
void isolators_done(struct isolator_list *l);
const char *isolator_name(enum isolator_kind kind);

/*
 * A quantity as appc and Kubernetes write it: plain, decimals, E P T G M K (also lower-case k), Ei Pi Ti Gi Mi Ki, m.
 * In thousandths: "500m" -> 500, "1" -> 1000, "16Mi" -> 16777216000. -EINVAL, -ERANGE; no negative ones.
 */
int quantity_parse(const char *s, int64_t *ret_milli);
