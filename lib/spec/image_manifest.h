/*
 * ImageManifest of the appc specification 0.8.11, decoded strictly: unknown members, wrong types and
 * broken rules are errors named by their JSON path.  The bytes themselves are what was signed and
 * hashed: keep them beside the struct, never write the struct back over them.
 */
#pragma once

#include "spec/app.h"

struct dependency {
	char *image_name, *image_id; /* id may be NULL */
	struct nameval_list labels;
	int64_t size; /* -1: absent */
};

struct image_manifest {
	char *ac_version, *name;
	struct nameval_list labels, annotations;
	struct app *app; /* NULL: no app section */
	struct dependency *dependencies;
	size_t n_dependencies;
	char **path_whitelist;
};

/* Parse the text of a manifest. NULL with a message ("image manifest: labels[0].name: ..."). */
struct image_manifest *image_manifest_parse(const char *text, size_t len, struct err *e);
void image_manifest_free(struct image_manifest *m);
DEFINE_CLEANUP(struct image_manifest *, image_manifest_free)
#define _cleanup_image_manifest_ __attribute__((cleanup(cleanup_image_manifest_free)))
