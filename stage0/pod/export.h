/*
 * An app of a pod that has ended, as an image: the manifest of the image that it was made from, and its
 * root file system as it was left.
 */
#pragma once

#include "base/err.h"

struct gantry;
struct pod;
struct runtime_app;

/*
 * Which app: the one called `name`, or (NULL) the pod's only one.  *ret is owned by the caller.
 */
int pod_export_app(const struct pod *p, const char *name, char **ret, struct err *e);
/* Write the image, compressed, to `out` from its start. */
int pod_export(const struct gantry *g, const struct pod *p, const char *app, int out, struct err *e);
