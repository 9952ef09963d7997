/*
 * The default flavour: namespaces and control groups, all that an isolator can ask for.
 */
#include "stage1/run/flavor.h"

const struct flavor flavor = {
	.groups = true,
	.plan = plan_make,
};
