/*
 * A pod that has ended, made ready to run again: its apps keep what they wrote, everything that
 * tells of the last run goes.
 */
#pragma once

#include "stage0/pod/pod.h"

struct gantry;

/* The pod is in phase `run`, and its lock is ours. */
int pod_make_runnable(const struct gantry *g, struct pod *p, struct err *e);
