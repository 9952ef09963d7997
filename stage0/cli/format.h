/* --format of the commands that can print JSON. */
#pragma once

#include "base/json.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JSON_PRETTY };

/* NULL and "": text. */
int format_parse(const char *word, enum format *ret, struct err *e);
void format_print(const cJSON *j, enum format format);
/* An empty array is printed as null, as rkt does. */
void format_print_array(const cJSON *array, enum format format);
