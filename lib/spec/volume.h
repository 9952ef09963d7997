/*
 * The "volume" object of a pod manifest; the struct and the command line's form are in pod_manifest.h.
 */
#pragma once

#include "spec/pod_manifest.h"

/* *ret is written on success only; free with volume_done(). */
int volume_decode(const cJSON *j, const struct json_at *at, struct volume *ret, struct err *e);
cJSON *volume_encode(const struct volume *v);
