/* For the verbs of `gantry image`. */
#pragma once

#include "base/err.h"

struct gantry;

/* The store, to look at; without one the image that was asked for is not there. */
int image_store_open(const struct gantry *g, const char *word, struct err *e);
