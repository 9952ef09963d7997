/* What --pod-manifest excludes, in run and prepare. */
#pragma once

#include "stage0/cli/apps.h"

/* Neither images nor a manifest, or both, or options that only make sense with images. */
int pod_manifest_conflict(const struct pod_request *req, struct err *e);
