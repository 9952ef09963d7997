/*
 * One port object: an element of an app's "ports", and "podPort" of a pod's.
 */
#pragma once

#include "spec/app.h"

/* Into a zeroed struct; after a failure app_port_done() frees what was read. */
int app_port_decode(const cJSON *j, const struct json_at *at, struct app_port *p, struct err *e);
cJSON *app_port_encode(const struct app_port *p);
void app_port_copy(struct app_port *dst, const struct app_port *src);
void app_port_done(struct app_port *p);
