/*
 * Image ids: "sha512-" and 128 hex digits, the SHA-512 of the uncompressed ACI.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define IMAGE_ID_PREFIX "sha512-"
#define IMAGE_ID_LEN (7 + 128)

/* A whole id (for json_field.check); NULL when fine. Lower-case digits only. */
const char *image_id_check(const char *s);
/* The name of a tree in the store: an image's id, or "deps-" and one for a rendered tree. */
#define TREE_ID_RENDERED "deps-"
#define TREE_ID_MAX (5 + IMAGE_ID_LEN)
const char *tree_id_check(const char *s);
/* "sha512-" and 2..128 hex digits: what a command line may say. NULL when fine. */
const char *image_id_prefix_check(const char *s);
