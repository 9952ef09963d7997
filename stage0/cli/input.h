/*
 * Files that the operator names on the command line: unlike those below a pod or an image they may
 * be anything that can be read to its end, as <(command) and /dev/stdin are.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

/*
 * At most `limit` bytes, else -EFBIG. *ret is NUL-terminated, owned by the caller; ret_len may be
 * NULL.
 */
int input_read(const char *path, size_t limit, char **ret, size_t *ret_len, struct err *e);
