/*
 * What is wrong with an archive as an image, without unpacking it: the same rules as untar.h, but
 * all that breaks them is told, and nothing is written.
 */
#pragma once

#include "base/str.h"
#include "stage0/worker/untar.h"

#define CHECK_FINDINGS_MAX 100

struct check_findings {
	char **v; /* strv: "\"PATH\": what" */
	size_t n; /* beyond the maximum they are only counted */
};
void check_findings_done(struct check_findings *f);

/*
 * 0 when the archive was read to its end, whatever was found in it; else an error behind which
 * nothing can be read.
 */
int check_tar(struct tar *t, const struct untar_limits *limits, untar_manifest manifest, void *arg,
	      struct check_findings *ret, struct untar_result *done, struct err *e);
