/*
 * Making a pod: images resolved, the manifest written, every app's manifest and tree id beside it,
 * and the trees copied where overlayfs cannot be had.
 */
#pragma once

#include "stage0/cli/apps.h"
#include "stage0/pod/pod.h"
#include "stage0/pod/stage1.h"

struct gantry;

struct prepare {
	const struct pod_request *request;
	const char *uuid_file_save; /* written before the preparation, or NULL */
	bool durable;		    /* prepare: everything is synced; run: renames only */
};

/*
 * A pod in phase `prepare`, locked, complete. A failing one stays as "aborted prepare" for gc.  Of a
 * stage1 that is an image the rest is filled in.
 */
int pod_prepare(const struct gantry *g, int pods, const struct prepare *how,
		struct stage1 *stage1, struct pod *ret, struct err *e);
