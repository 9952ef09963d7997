/*
 * What image layouts are made of (image-layout.md of the image specification), whether they lie in a
 * directory or in a tar.
 */
#pragma once

#include "stage0/oci/source.h"

#define LAYOUT_FILE "oci-layout"
#define LAYOUT_INDEX "index.json"
#define LAYOUT_BLOBS "blobs"
#define LAYOUT_FILE_MAX 4096
#define ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
#define ANNOTATION_WHOLE_NAME "io.containerd.image.name" /* as docker and containerd write it down */

/* How a file of a layout is read, wherever that lies; at most `limit` bytes, NUL-terminated besides. */
typedef int (*layout_reader)(const void *from, const char *name, size_t limit, char **ret, size_t *ret_len,
			     struct err *e);
/* LAYOUT_FILE, which must be of a version that is known, and LAYOUT_INDEX into `index`. */
int layout_read(const void *from, layout_reader read, struct oci_document *index, struct err *e);
/* That gantry knows the layout's version. */
int layout_check_version(const char *text, size_t len, struct err *e);
/* That its LAYOUT_INDEX, which the error names, is an index of images. */
int layout_check_index(const char *text, size_t len, struct err *e);
/* "blobs/sha256/HEX" of a digest that was checked; owned by the caller. */
char *layout_blob_path(const char *digest);
/*
 * The image of this name in index.json, NULL meaning the only one; what is attached to one (attached.h) does
 * not count.  0: *ret is it; 1: the index as a whole
 * is the image, one for each platform.  -ENOENT, -ENOTUNIQ with the names that there are.
 */
int layout_find(const struct oci_index *x, const char *name, const struct oci_descriptor **ret, struct err *e);
/* As it stands in an index; owned by the caller. */
struct cJSON *layout_encode(const struct oci_descriptor *d);
/*
 * Of a source that is a layout with this LAYOUT_INDEX: those of its entries that refer to the digest, as
 * source_ops.referrers.
 */
int layout_referrers(struct source *s, const struct oci_document *index, const char *digest, const char *artifact_type,
		     struct oci_document *ret, struct err *e);
/* What the layout calls it, the whole name if there is one; NULL: nothing. */
const char *layout_name(const struct oci_descriptor *d);
