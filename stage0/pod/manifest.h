/*
 * From what the command line asks to a reified pod manifest: images by id, every app with the
 * options applied, every mount with its volume.
 */
#pragma once

#include "spec/image_manifest.h"
#include "spec/pod_manifest.h"
#include "stage0/cli/apps.h"

/* One image of the pod, as found in the store. */
struct pod_image {
	char *id;
	char *text; /* the image manifest's bytes */
	size_t len;
	struct image_manifest *manifest;
};

/*
 * images[i] belongs to req->apps[i]. NULL with a message that names the app. Warnings (implicit
 * volumes) are logged.
 */
struct pod_manifest *pod_manifest_build(const struct pod_request *req,
					const struct pod_image *images, struct err *e);
/*
 * os and arch labels: both there, linux, and one of rkt's architectures; whether this machine runs
 * it, by itself or by binfmt_misc, shows when it is executed.
 */
int pod_image_check(const struct pod_image *image, struct err *e);
