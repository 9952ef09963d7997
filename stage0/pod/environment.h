/*
 * The variables of an app, from low to high: the caller's (--inherit-env), the image's,
 * --set-env-file, --set-env, --environment.
 */
#pragma once

#include "spec/nameval.h"
#include "stage0/cli/apps.h"

/*
 * `env` holds the image's on entry, all of them on return. A name twice in one place is an error.
 */
int environment_apply(const struct pod_request *req, const struct app_request *a,
		      struct nameval_list *env, struct err *e);
