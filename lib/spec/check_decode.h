/*
 * The same as JSON: values of isolators.  Apart from check.h for those that read no JSON.
 */
#pragma once

#include "base/json.h"
#include "spec/check.h"

/* `field` is a struct check, empty before. JSON_F_CALL form. */
int healthcheck_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);
int probe_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);
int restart_decode(const cJSON *j, const struct json_at *at, enum restart_policy *ret, struct err *e);
/* gantry/stop-timeout: between the signal and SIGKILL, at most a day. */
int stop_timeout_decode(const cJSON *j, const struct json_at *at, int64_t *ret_ms, struct err *e);
int stop_signal_decode(const cJSON *j, const struct json_at *at, int *ret, struct err *e);
