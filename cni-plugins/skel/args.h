/*
 * CNI_ARGS: "KEY=VALUE;KEY=VALUE".  Each plugin says which keys it takes; another one is an error
 * unless IgnoreUnknown is set, as the conventions of the specification have it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct cni_arg {
	const char *key;
	char **value; /* owned by the caller; NULL: known, of no interest */
};

/* CNI_BAD_ENV on text without this form or an unknown key. */
int cni_args_parse(const char *args, const struct cni_arg *known, size_t n, struct err *e);
/* KEY=1 or KEY=true is there. */
bool cni_args_flag(const char *args, const char *key);
