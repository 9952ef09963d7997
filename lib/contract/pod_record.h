/*
 * The pod record: what PID 1 of a pod needs to know (stage1/run writes it, stage1/init reads it
 * from the descriptor `record`).  One struct, one table of keys (pod_record.c); unknown keys are
 * refused.
 *
 * The index of an app in the record is the I of the descriptors `appI-NAME`.  Those of them that
 * init keeps to itself: cgroup, kill, freezer, and stdin, stdout, stderr for the streams that are
 * STREAM_GIVEN; all others are stage2's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/record.h"
#include "base/str.h"
#include "spec/check.h"

#define POD_RECORD_VERSION 1

/* What an app has as standard input, output and error. */
enum pod_stream {
	STREAM_NULL,  /* nothing */
	STREAM_LOG,   /* output only: a pipe to init, which writes the log and the relay */
	STREAM_GIVEN, /* the descriptor `appI-stdin`, -stdout, -stderr */
	STREAM_MAX,
};

/* When a check of an app is made; what it is stands in the app's record, under the same number. */
struct pod_record_check {
	enum check_purpose purpose;
	unsigned delay_ms, grace_ms, period_ms, timeout_ms;
	unsigned successes, failures;
};

struct pod_record_app {
	char *name;
	bool has_post_stop;
	enum pod_stream streams[3];
	int stop_signal;
	enum restart_policy restart;
	bool init; /* runs to its end, successfully, before those that are none start */
	struct pod_record_check *checks;
	size_t n_checks;
};

struct pod_record {
	char *uuid;
	char *hostname;		  /* 1..64 bytes */
	unsigned stop_timeout_ms; /* between TERM and KILL of an app */
	bool private_net; /* the pod has a network namespace of its own: lo is to be set up */
	bool private_users; /* the pod has a user namespace */
	char **sysctls;	  /* strv of "KEY=VALUE": set in the pod's namespaces, before the apps start */
	struct pod_record_app *apps;
	size_t n_apps;
};
#define POD_RECORD_INIT {.stop_timeout_ms = 10000, .private_net = true}

/* Append an app (for the writer), with the usual streams: null, log, log. */
struct pod_record_app *pod_record_add_app(struct pod_record *rec, const char *name,
					  bool has_post_stop);

/* Add the whole record to an empty sb. */
void pod_record_encode(const struct pod_record *rec, struct strbuf *sb);
/* Fill an initialised *ret; refusals as app_record_decode(). */
int pod_record_decode(struct record *in, struct pod_record *ret, struct err *e);
int pod_record_read(int fd, struct pod_record *ret, struct err *e);
void pod_record_done(struct pod_record *rec);
#define _cleanup_pod_record_ __attribute__((cleanup(pod_record_done)))
