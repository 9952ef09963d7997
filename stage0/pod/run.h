/*
 * From a prepared pod to a running one: this process becomes the pod's stage1, or, detached, starts
 * it and waits until it is ready.
 */
#pragma once

#include "base/opt.h"
#include "stage0/pod/pod.h"
#include "stage0/pod/stage1.h"

struct gantry;

/* What run and run-prepared have in common. */
struct run_request {
	char **nets, **net_dirs;
	char **dns, **dns_search, **dns_opt;
	char *dns_domain;
	char **hosts_entries;
	char *hostname, *ipc;
	bool interactive, mds_register;
	bool detach, dry_run;
};
extern const struct opt run_request_opts[];
extern const size_t n_run_request_opts;
void run_request_done(struct run_request *req);

/* "gantry-UUID", as rkt "rkt-UUID"; owned by the caller. */
char *pod_default_hostname(const struct gantry *g, const char *uuid);
/* Check what can be checked before anything is made. */
int run_request_check(const struct run_request *req, struct err *e);
/* Whether ports can be forwarded at all (strv of --port, or NULL). */
int run_request_check_ports(const struct run_request *req, char *const *ports, struct err *e);
/*
 * Move the locked pod to `run` and exec the stage1's run program.  Does not return on success,
 * except detached: then 0 when the pod is ready (its UUID is on standard output), or the exit
 * status of a start that failed (its message was logged).
 */
int pod_run(const struct gantry *g, struct pod *p, const struct stage1 *s,
	    const struct run_request *req, struct err *e);
