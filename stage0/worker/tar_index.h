/*
 * What lies where in an uncompressed tar file: images are passed around as archives whose parts are
 * then read in place.  Only headers are read.
 */
#pragma once

#include "base/str.h"
#include "stage0/worker/tar.h"

#define TAR_INDEX_ENTRIES_MAX 100000
#define TAR_INDEX_TEXT_MAX (16u << 20)

/*
 * A line for each: "file OFFSET SIZE NAME", "link TARGET NAME" (symbolic and hard), NAME and TARGET
 * escaped (path_escape.h), in the archive's order; directories and devices are left out, and so
 * are sparse files, whose bytes do not lie there as they are.
 */
int tar_index(int fd, struct strbuf *ret, struct err *e);
