/* The files of registry.h; private to the registry. dir < 0: nothing is kept. */
#pragma once

#include "stage0/service/registry.h"

int registry_file_put_pod(int dir, const struct registered_pod *p, struct err *e);
int registry_file_put_app(int dir, const char *uuid, const char *app, const char *manifest,
			  size_t len, struct err *e);
/* The pod's file first: an app without its pod is nothing. */
void registry_file_remove(int dir, const struct registered_pod *p);
