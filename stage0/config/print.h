/*
 * The settings as a document: {"stage0":[{"rktVersion","rktKind",...},...]}.
 */
#pragma once

#include "base/json.h"

struct gantry;

/* Secrets stand in it only when `show`. NULL with a message; free with cJSON_Delete(). */
cJSON *config_print(const struct gantry *g, bool show, struct err *e);
