/*
 * The step into stage1: in the foreground this process becomes it; detached, a child does, and this
 * one waits until the pod is ready.
 */
#pragma once

#include "stage0/pod/pod.h"
#include "stage0/pod/stage1.h"

/* The pod is in phase `run` and locked by us; argv is that of its stage1's run program. */
int pod_start(const struct pod *p, const struct stage1 *s, char *const *argv, struct err *e);
/*
 * 0: ready, its UUID is on standard output; a status: it failed and its message was logged.  What
 * stage1 had to say until then is on standard error.
 */
int pod_start_detached(const struct pod *p, const struct stage1 *s, char *const *argv,
		       struct err *e);
