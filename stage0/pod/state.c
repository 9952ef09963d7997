/*
 * THE table: phase x lock -> state.  The only reader of that rule.
 */
#include "stage0/pod/pod.h"

static const struct {
	const char *dir;
	enum pod_state free, locked;
} phases[PHASE_MAX] = {
	[PHASE_EMBRYO] = {"embryo", POD_STATE_EMBRYO, POD_STATE_EMBRYO},
	[PHASE_PREPARE] = {"prepare", POD_STATE_ABORTED_PREPARE, POD_STATE_PREPARING},
	[PHASE_PREPARED] = {"prepared", POD_STATE_PREPARED, POD_STATE_PREPARED},
	[PHASE_RUN] = {"run", POD_STATE_EXITED, POD_STATE_RUNNING},
	[PHASE_EXITED_GARBAGE] = {"exited-garbage", POD_STATE_EXITED_GARBAGE,
				  POD_STATE_EXITED_DELETING},
	[PHASE_GARBAGE] = {"garbage", POD_STATE_GARBAGE, POD_STATE_DELETING},
};

static const char *const names[POD_STATE_MAX] = {
	[POD_STATE_EMBRYO] = "embryo",
	[POD_STATE_PREPARING] = "preparing",
	[POD_STATE_ABORTED_PREPARE] = "aborted prepare",
	[POD_STATE_PREPARED] = "prepared",
	[POD_STATE_RUNNING] = "running",
	[POD_STATE_EXITED] = "exited",
	[POD_STATE_EXITED_GARBAGE] = "exited garbage",
	[POD_STATE_EXITED_DELETING] = "exited deleting",
	[POD_STATE_GARBAGE] = "garbage",
	[POD_STATE_DELETING] = "deleting",
};

const char *pod_phase_dir(enum pod_phase phase)
{
	return phases[phase].dir;
}

enum pod_state pod_state_of(enum pod_phase phase, bool locked)
{
	return locked ? phases[phase].locked : phases[phase].free;
}

bool pod_phase_has_owner(enum pod_phase phase)
{
	return phases[phase].locked != phases[phase].free;
}

const char *pod_state_name(enum pod_state state)
{
	return names[state];
}
