/*
 * What is wrong with images, layouts and manifests: all of it, each finding one line that says
 * where.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct gantry;

enum check_type { CHECK_AUTO, CHECK_IMAGE, CHECK_LAYOUT, CHECK_MANIFEST };

struct check_result {
	const char *what; /* "image", "layout", "image manifest", "pod manifest" */
	char **findings;  /* strv; NULL: it is valid */
	char *id;	  /* of an image that is valid so far; may be NULL */
	char *manifest;	  /* of an image or layout, as it stands there; may be NULL */
	size_t manifest_len;
};
void check_result_done(struct check_result *r);
#define _cleanup_check_result_ __attribute__((cleanup(check_result_done)))

/* 0 when it was looked at, whatever was found; -errno when it could not be. */
int check_path(const struct gantry *g, const char *path, enum check_type type,
	       struct check_result *ret, struct err *e);
/* An archive that is open at its start. */
int check_image(const struct gantry *g, int fd, struct check_result *ret, struct err *e);
/* The kind is the document's own word for it. `image_only`: a pod manifest is an error. */
void check_manifest(const char *text, size_t len, bool image_only, struct check_result *ret);
/*
 * DIR with manifest and rootfs, and nothing else: the manifest is read into ret; 0 with findings,
 * or -errno.
 */
int check_layout(const struct gantry *g, int dir, struct check_result *ret, struct err *e);
/* What lies in a layout, by name only. */
int check_layout_names(int dir, bool need_manifest, struct check_result *ret, struct err *e);
