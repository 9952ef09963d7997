/*
 * The one function in which the gc programs of the flavours differ.
 */
#pragma once

#include "base/err.h"

/*
 * Take back what the pod, whose directory is the working directory and which has ended, left on the
 * host. Doing so twice is harmless; what cannot be taken back is an error, and tried again by the
 * next gc.
 */
int gc_collect(const char *uuid, struct err *e);
