/*
 * application/x-www-form-urlencoded (WHATWG URL standard, section 5.1): fields of a POST.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The value of the first field of that name, decoded, which may hold any byte; NUL-terminated,
 * owned by the caller. NULL when it is not there. A broken escape ("%4") stands for itself, as in
 * browsers.
 */
char *form_get(const char *body, size_t len, const char *name, size_t *ret_len);
