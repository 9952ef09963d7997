/*
 * Pod manifests that name Docker and OCI images by reference.
 */
#pragma once

#include <stddef.h>

#include "stage0/image/image.h"

/*
 * Where apps[].image.name is a reference (docker://..., oci:...), the image is fetched as the policy says;
 * its id is put in, or compared with the one that is there, and the name becomes what the image is called
 * in the store.  A text that names none, or is no manifest, stays as it is: whoever reads it will say so.
 * *text is allocated and may be replaced.
 */
int manifest_images_fetch(const struct gantry *g, int store, enum pull_policy policy, char **text, size_t *len,
			  struct err *e);
