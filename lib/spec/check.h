/*
 * Checks of an app that runs: the values of the isolators gantry/healthcheck and gantry/probe.
 *
 * A healthcheck is docker's: it tells how the app is, and does nothing else.  Probes are those of
 * Kubernetes: an app that is not alive is ended, and started again if its restart policy says so;
 * readiness is told; as long as a startup probe has not succeeded the other two wait.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum check_purpose {
	CHECK_HEALTH,
	CHECK_LIVENESS,
	CHECK_READINESS,
	CHECK_STARTUP,
	CHECK_PURPOSE_MAX,
};

enum check_how {
	CHECK_EXEC, /* a program in the app's place, as the app's user: status 0 is good */
	CHECK_HTTP, /* GET answered with 200 to 399 */
	CHECK_TCP,  /* a connection is accepted */
	CHECK_HOW_MAX,
};

#define CHECKS_MAX 8 /* of one app */

struct check {
	enum check_purpose purpose;
	enum check_how how;
	char **exec;
	int64_t port;	    /* HTTP, TCP */
	char *host, *path;  /* of them; host: an address or NULL (127.0.0.1) */
	char **headers;	    /* HTTP: "Name: value" */
	int64_t delay_ms;   /* from the app's start to the first check */
	int64_t grace_ms;   /* from the start: until then failures do not count */
	int64_t period_ms, timeout_ms;
	int64_t successes, failures; /* in a row, to become good and to become bad */
};

void check_done(struct check *c);
#define _cleanup_check_ __attribute__((cleanup(check_done)))
const char *check_purpose_name(enum check_purpose purpose);

/* What becomes of an app that has ended: gantry/restart. */
enum restart_policy {
	RESTART_UNSET,	    /* nothing is said: the first app that fails ends the pod */
	RESTART_NEVER,	    /* it stays down, and the pod goes on */
	RESTART_ON_FAILURE,
	RESTART_ALWAYS,
	RESTART_MAX,
};

/* gantry/stop-signal: the number, 1..64. "SIGQUIT", "QUIT", "3", "SIGRTMIN+3". -EINVAL. */
int stop_signal_parse(const char *word, int *ret);
