/*
 * The stage1s that were installed with gantry, each a directory below libexec: found by the name in
 * its manifest, and by the names that rkt's flavours had.  The functions return 1 when there is
 * one, which is then in *ret, and 0 when not.
 */
#pragma once

#include "stage0/pod/stage1.h"

/* Where they lie; owned by the caller. */
char *stage1_installed_dir(const struct gantry *g);
/* Whether that clean path without links lies in there. */
bool stage1_is_installed(const struct gantry *g, const char *path);
/* name[:version][,label=value...] as in its manifest. */
int stage1_installed_by_name(const struct gantry *g, const char *name, struct stage1 *ret,
			     struct err *e);
/* "coreos.com/rkt/stage1-fly", of whatever version; -ENOTSUP for a flavour that we do not have. */
int stage1_installed_by_rkt_name(const struct gantry *g, const char *name, struct stage1 *ret,
				 struct err *e);
/* "stage1-fly.aci": a file of rkt's directory of images. */
int stage1_installed_by_file(const struct gantry *g, const char *file, struct stage1 *ret,
			     struct err *e);
