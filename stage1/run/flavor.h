/*
 * What this `run` is.  The flavours of stage1 have the same executor (sandbox.c) and differ in the
 * plan that they make for it; each program is linked with one definition: flavor.c here,
 * stage1/fly/flavor.c.
 */
#pragma once

#include "stage1/run/plan.h"

struct flavor {
	bool groups; /* its pods have control groups of their own */
	int (*plan)(const struct pod *pod, const struct entry_args *args,
		    const struct host_facts *facts, struct plan **ret, struct err *e);
	/* What the plan needs of the host beforehand; NULL: nothing. */
	int (*prepare_host)(const struct plan *plan, struct err *e);
};
extern const struct flavor flavor;
