/* Pods named on a command line, or in the file that --uuid-file names. */
#pragma once

#include "base/err.h"

/*
 * The words, or the one UUID of the file (then no word may be there). *ret: strv, owned by the
 * caller.
 */
int pod_words(char *const *words, const char *uuid_file, char ***ret, struct err *e);
