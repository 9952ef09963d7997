/*
 * Base64 as RFC 4648 section 4 has it, with padding: bytes inside a JSON string.
 */
#pragma once

#include <stddef.h>

/* Owned by the caller. */
char *base64_encode(const void *data, size_t len);
/*
 * The one canonical spelling is taken: no line ends, no missing padding, no stray bits at the end. *ret
 * is NUL-terminated and owned by the caller; -EINVAL else.
 */
int base64_decode(const char *text, char **ret, size_t *ret_len);
