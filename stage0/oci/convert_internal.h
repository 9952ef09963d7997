/*
 * Private to stage0/oci/convert*.c.
 */
#pragma once

#include "base/json.h"
#include "spec/oci.h"

/* Each is compared with all before it. */
#define LABELS_MAX 4096
#define ENV_MAX 4096
#define VOLUMES_MAX 256
#define PORTS_MAX 1024

/* Adds "ports" to the app. */
int convert_ports(cJSON *app, char *const *exposed, struct err *e);
/* Adds "isolators": stop signal, health check, and the groups of the user. */
int convert_isolators(cJSON *app, const struct oci_config *c, bool login_groups, struct err *e);
