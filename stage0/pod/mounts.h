/*
 * --volume and --mount, and the mount points that the image declares, each with its volume.
 */
#pragma once

#include "spec/pod_manifest.h"
#include "stage0/cli/apps.h"

int volumes_add(const struct pod_request *req, struct pod_manifest *pm, struct err *e);
/*
 * The mounts of one app, whose section is there: its own --mount wins over a global one for the
 * same path, both over the image's mount points; what no volume satisfies gets an empty one.
 */
int mounts_apply(const struct pod_request *req, const struct app_request *a,
		 struct pod_manifest *pm, struct runtime_app *ra, struct err *e);
