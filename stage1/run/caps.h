/*
 * Capability names and sets: isolators name capabilities, the kernel wants masks (bit n is capability n).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* The fourteen that an app has when nothing is said (appc specification, "capabilities-remove-set"). */
uint64_t caps_default(void);
/* All that this kernel knows and this process may hand out. */
uint64_t caps_permitted(void);
/* "CAP_X" names to a mask; unknown to libcap or to the kernel: an error that names it. */
int caps_from_names(char *const *names, uint64_t *ret, struct err *e);
/* The name of the lowest capability in the mask ("CAP_CHOWN"), owned by the caller. */
char *caps_first_name(uint64_t mask);
