/*
 * What a pod directory tells about its pod: times, networks, the apps and how they ended.
 */
#pragma once

#include "spec/pod_manifest.h"
#include "stage0/pod/pod.h"

struct app_status {
	const struct runtime_app *app; /* borrowed from the manifest */
	enum { APP_UNKNOWN, APP_CREATED, APP_RUNNING, APP_EXITED } state;
	int64_t created_ns, started_ns, finished_ns; /* 0: not known */
	int exit_code;				     /* -1: none */
	/* Of apps with checks or a restart policy, while the pod runs. */
	char *health; /* "none" without a healthcheck; NULL: not of interest */
	bool ready;
	int64_t restarts;
};

struct pod_status {
	char *name; /* of --pod-name, or NULL */
	struct pod_manifest *manifest; /* NULL: not there (yet), or not readable */
	struct app_status *apps;
	size_t n_apps;
	int64_t created_ns, started_ns; /* 0: not known */
	pid_t pid;			/* 0: not known */
	char *networks; /* "default:ip4=172.16.28.2", joined by ", ", fit for a terminal */
	cJSON *net_info;		/* array of net-info.json, or NULL */
	bool is_brief; /* manifest holds what brief.h says and nothing else */
};

/*
 * -ENOENT when the pod went away meanwhile. A pod without a manifest, or whose manifest is being
 * written, is no error here.
 */
int pod_status_read(const struct pod *p, struct pod_status *ret, struct err *e);
/*
 * The same for lists of many: from what the preparation noted for this purpose, without pid;
 * without `details` also without what only JSON shows, such as states of apps. *p is opened as far
 * as it was needed: close it. With *p open, -EINVAL is about the manifest only.
 */
int pod_status_look(int pods, const struct pod_ref *ref, bool details, struct pod *p,
		    struct pod_status *ret, struct err *e);
void pod_status_done(struct pod_status *s);
#define _cleanup_pod_status_ __attribute__((cleanup(pod_status_done)))

/* The host's number of the pod's first process; -ENOENT while there is none. */
int pod_pid(const struct pod *p, pid_t *ret, struct err *e);
/* The interface version of the stage1 that the pod was made with. */
unsigned pod_stage1_interface(const struct pod *p);
/*
 * name[:version] of an app's image, from the copy in the pod; NULL when it is not known. Owned by
 * the caller.
 */
char *pod_image_name(const struct pod *p, const struct pod_status *s, const struct runtime_app *ra);
/* The pod object of list and status --format=json (rkt's member names). */
cJSON *pod_status_json(const struct pod *p, const struct pod_status *s);
