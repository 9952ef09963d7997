/* Whether the roots of a pod's apps can be overlays, or have to be copies of their trees. */
#pragma once

#include <stdbool.h>

struct gantry;

/* The pod's directory will hold the upper layers. Why not is said in a warning. */
bool overlay_is_possible(const struct gantry *g, int pod_dir);
