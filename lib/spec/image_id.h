/*
 * Image ids: "sha512-" and 128 hex digits, the SHA-512 of the uncompressed ACI, or of the manifest of
 * an OCI image as it was served.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define IMAGE_ID_PREFIX "sha512-"
#define IMAGE_ID_LEN (7 + 128)

/* A whole id (for json_field.check); NULL when fine. Lower-case digits only. */
const char *image_id_check(const char *s);
/*
 * The name of a tree in the store: an ACI's id; "deps-" and such an id for a rendered tree;
 * "layer-sha256-" and the 64 digits of a diff id for one layer of OCI images; "attrs-" and an OCI
 * image's id for attributes that no layer of its stack shows by itself.
 */
#define TREE_ID_RENDERED "deps-"
#define TREE_ID_LAYER "layer-sha256-"
#define TREE_ID_ATTRS "attrs-"
#define LAYER_HEX_LEN 64
#define TREE_ID_MAX (6 + IMAGE_ID_LEN)
/* Trees that one app starts from: the layers of an image, and one of attributes. */
#define TREE_STACK_MAX 499 /* OVL_MAX_STACK of the kernel's overlayfs, less one for what an app has written */
const char *tree_id_check(const char *s);
/*
 * The trees that an app starts from, as a pod's directory has them: one id a line, the bottom first, no
 * newline at the end.  NULL with a reason; else a strv that the caller owns.
 */
char **tree_ids_parse(const char *text, const char **ret_why);
/* "sha512-" and 2..128 hex digits: what a command line may say. NULL when fine. */
const char *image_id_prefix_check(const char *s);
