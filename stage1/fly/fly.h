/*
 * The flavour fly: its own plan, for the executor of stage1/run.
 */
#pragma once

#include "stage1/run/plan.h"

int fly_plan(const struct pod *pod, const struct entry_args *args, const struct host_facts *facts,
	     struct plan **ret, struct err *e);

/* share.c: the host's mounts that volumes lie on become shared ones. */
int fly_share(const struct plan *plan, struct err *e);
