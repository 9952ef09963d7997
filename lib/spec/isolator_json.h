/*
 * Private to the table of isolators: decoders of values that stay JSON (isolator.raw).
 */
#pragma once

#include "spec/isolator.h"

int isolator_decode_selinux(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);
int isolator_decode_apparmor(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);
int isolator_decode_sysctl(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);
int isolator_decode_check(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);
int isolator_decode_restart(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);
int isolator_decode_stop_timeout(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);
int isolator_decode_stop_signal(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e);
