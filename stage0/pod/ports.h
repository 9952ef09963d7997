/*
 * --port and the "ports" of a pod manifest: which port of the host leads to which port of an app.
 */
#pragma once

#include "spec/pod_manifest.h"

struct pod_image;

/* Each "NAME:[IP:]PORT" of the strv becomes a port of the pod. */
int ports_add(char *const *texts, struct pod_manifest *pm, struct err *e);
/*
 * Every name is that of one port of one app, and no two lead from the same place. images[i] belongs
 * to pm->apps[i].
 */
int ports_check(const struct pod_manifest *pm, const struct pod_image *images, struct err *e);
