/*
 * What a registry says when it refuses: a body of the distribution specification, or any text, to one
 * line.  No input or output.
 */
#pragma once

#include <stddef.h>

/* "toomanyrequests: You have reached your pull rate limit"; NULL when it says nothing. Owned by the caller. */
char *registry_error_text(const char *body, size_t len);
