/*
 * "There may be only one of a name": the rule that most lists of the appc specification share.
 */
#pragma once

#include "base/json.h"

/*
 * The string member `key` differs in all objects of the array (which was decoded: each has it).
 * The error names the second holder: "labels[3].name: "os" is there twice".
 */
int unique_members(const cJSON *array, const struct json_at *at, const char *key, struct err *e);
