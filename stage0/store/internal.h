/*
 * Private to stage0/store.
 */
#pragma once

#include "base/str.h"
#include "stage0/store/store.h"

#define STORE_CAS "cas"
#define STORE_REMOTE "cas/remote"
#define INFO_FILE "info"
#define BLOB_FILE "blob"
#define MANIFEST_FILE "manifest"
#define LAST_USED_FILE "lastused"

/* Write `info` into the open image directory; durable. */
int info_write(int image_dir, const struct store_info *info, struct err *e);

/* Ids of the directories in cas/image or cas/tree, in no order; names that are no id are left out. */
int store_ids(int store, const char *where, char ***ret, struct err *e);
/* Ids of the trees that a pod in prepare, prepared, run or exited-garbage names. */
int store_trees_in_use(int store, char ***ret, struct err *e);
