/*
 * The images of a request's apps, from their words to ids in the store.
 */
#pragma once

#include "stage0/cli/apps.h"
#include "stage0/image/image.h"

/* --pull-policy, or new. */
int request_pull_policy(const struct pod_request *req, enum pull_policy *ret, struct err *e);
/*
 * Fetched where they must be: all at once, or where each has a policy of its own, by policies.  The ids
 * (req->n_apps of them, owned by the caller) are those of the apps in their order.
 */
int request_images_resolve(const struct gantry *g, const struct pod_request *req, char **ret_ids, struct err *e);
