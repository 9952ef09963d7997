/* Where in the text of a document something stands; private to base/json.c and its tests. */
#pragma once

#include <stddef.h>

struct json_at;

/* Line and column, both from 1; a column counts bytes, as those of editors and compilers do. */
void json_position(const char *text, const char *p, size_t *ret_line, size_t *ret_column);
/*
 * The value at that path, in a text that json_scan() accepts; what is not there: the innermost value
 * around it.
 */
const char *json_place(const char *text, size_t len, const struct json_at *at);
