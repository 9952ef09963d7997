/*
 * gantry's side of the metadata service: telling it of a pod, over its unix socket.
 *
 * Where no service runs this is one failed connect(2).  One that hangs costs a bounded time, and
 * only
 * --mds-register makes of that an error.
 */
#pragma once

#include <stdbool.h>

#include "contract/metadata.h"

struct gantry;
struct pod;

/*
 * Register the pod, whose manifests are in its directory, under a new token, and note it there
 * (POD_MDS). `required`: failing is an error; else it is a warning, or nothing where no service
 * runs. Returns 1 with the note, 0 when it is not registered.
 */
int metadata_register(const struct gantry *g, const struct pod *p, bool required,
		      struct metadata_note *ret, struct err *e);
/* The pod goes. What cannot be reached now finds out when it is started again. */
void metadata_unregister(const struct gantry *g, const struct pod *p);
