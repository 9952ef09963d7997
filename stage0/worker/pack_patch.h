/* An image as it is, but for its manifest. */
#pragma once

#include "stage0/worker/pack.h"

/*
 * The entries of `t` in their order, each as it was read; of the options only the manifest counts.
 */
int pack_patch(struct tar *t, struct tar_writer *w, const struct pack_options *o, struct err *e);
