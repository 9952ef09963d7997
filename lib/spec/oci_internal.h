/*
 * Private to lib/spec/oci_*.c: decoding of what several documents have.
 */
#pragma once

#include "base/json.h"
#include "spec/oci.h"

/* JSON_F_CALL forms; the field is a struct oci_platform, a struct oci_descriptor. */
int oci_platform_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);
int oci_descriptor_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);
/* An array of descriptors, at most `max`. */
int oci_descriptors_decode(const cJSON *j, const struct json_at *at, size_t max, struct oci_descriptor **ret,
			   size_t *ret_n, struct err *e);
void oci_platform_done(struct oci_platform *p);
