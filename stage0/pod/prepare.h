/*
 * Making a pod: images resolved, the manifest written, every app's manifest and tree id beside it,
 * and the trees copied where overlayfs cannot be had.
 */
#pragma once

#include "stage0/cli/apps.h"
#include "stage0/pod/pod.h"
#include "stage0/pod/stage1_select.h"

struct gantry;

struct prepare {
	const struct pod_request *request;
	const struct stage1_request *stage1;
	const char *uuid_file_save; /* written before the preparation, or NULL */
	bool durable;		    /* prepare: everything is synced; run: renames only */
};

struct prepared {
	struct stage1 stage1;
	struct pod pod;
	int pods; /* the pods directory, which `pod` borrows */
};
#define PREPARED_INIT {.stage1 = STAGE1_INIT, .pod = POD_INIT, .pods = -EBADF}
void prepared_done(struct prepared *p);
#define _cleanup_prepared_ __attribute__((cleanup(prepared_done)))

/*
 * A pod in phase `prepare`, locked, complete, and its stage1. A failing one stays as "aborted
 * prepare" for gc.
 */
int pod_prepare(const struct gantry *g, const struct prepare *how, struct prepared *ret,
		struct err *e);
