/*
 * fly: one app, which gets a root of its own and nothing else.  Network, processes, IPC and host
 * name are the host's; so are /dev, /proc and /sys; the app stays in the control group of whoever
 * called.
 */
#include "stage1/fly/fly.h"
#include "stage1/run/flavor.h"

const struct flavor flavor = {
	.groups = false,
	.plan = fly_plan,
	.prepare_host = fly_share,
};
