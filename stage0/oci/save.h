/*
 * An OCI image of the store written as an image layout.
 */
#pragma once

#include "stage0/oci/ref.h"

struct gantry;
struct layout_writer;

/*
 * Everything of the image into the writer, which is finished with it.  name: in the layout; NULL: what
 * the store calls it.
 */
int oci_save(const struct gantry *g, int store, const char *id, const char *name, struct layout_writer *w,
	     struct err *e);
/* As a tar into the open file. */
int oci_save_archive(const struct gantry *g, int store, const char *id, const char *name, int fd, struct err *e);
