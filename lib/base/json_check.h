/* Rules of strings for json_field.check: NULL, or what is wrong with the value. */
#pragma once

static inline const char *json_check_not_empty(const char *s)
{
	return *s ? NULL : "must not be empty";
}
