/*
 * What stage0 prepared: the pod directory, read and decoded.  Nothing is changed here.
 */
#pragma once

#include "contract/layout.h"
#include "spec/image_manifest.h"
#include "spec/pod_manifest.h"
#include "stage1/run/tree.h"

/* A running pod's directory is DATA/pods/run/UUID: the store is always at the same place relative to it,
 * and a relative path shows nothing of the host in the app's /proc/self/mountinfo. */
#define POD_STORE_TREE "../../../" DATA_CAS_TREE

struct pod_app {
	const struct runtime_app *runtime; /* borrowed from the pod manifest */
	const struct app *app;		   /* what runs: the pod manifest's app, else the image's; borrowed */
	struct image_manifest *image;
	struct tree *tree; /* the image's files */
};

struct pod {
	int dir; /* borrowed */
	char *uuid;
	struct pod_manifest *manifest;
	struct pod_app *apps;
	size_t n_apps;
	bool overlay; /* roots are overlays over trees of the store; else copies in the pod directory */
};

int pod_load(int dir, const char *uuid, struct pod **ret, struct err *e);
void pod_free(struct pod *p);
DEFINE_CLEANUP(struct pod *, pod_free)
#define _cleanup_pod_ __attribute__((cleanup(cleanup_pod_free)))
