/*
 * What a manifest of another kind (stage0/kube) asks for beyond the options of the command line.
 */
#pragma once

#include "contract/id_map.h"
#include "spec/pod_manifest.h"
#include "stage0/cli/apps.h"

/* Volumes before the apps, all else of the pod. */
int more_of_pod(const struct pod_request *req, struct pod_manifest *pm, struct err *e);
/* The program, before the arguments of the command line are looked at: 1 when it is all said. */
int more_exec(const struct app_request *a, struct app *app);
/* Isolators, ports, mount points that are read-only. */
void more_of_app(const struct app_request *a, struct runtime_app *ra);
/* The files that empty volumes begin with, in the pod's directory; they are the root's that the pod has. */
int more_files(const struct pod_request *req, int pod_dir, const struct id_map *users, struct err *e);
