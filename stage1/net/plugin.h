/*
 * One run of one CNI plugin: environment, standard input, and what it answers.  Its output is
 * bounded, and so is its time.
 */
#pragma once

#include "base/json.h"

struct cni_call {
	const char *command; /* "ADD", "DEL", "CHECK" */
	const char *container_id, *netns, *ifname, *args;
	char *const *path; /* strv of directories */
};

/* Where plugins are looked for, strv owned by the caller. */
char **cni_plugin_path(void);
/* Find the program of this type: the first regular file in the path. Owned by the caller. */
int cni_plugin_find(char *const *path, const char *type, char **ret, struct err *e);
/*
 * Run it with `conf` on its input.  *ret_result is the object that it printed, empty for null;
 * where ret_result is NULL (DEL) nothing that it prints matters.  Failure: "plugin TYPE: msg
 * (details)".
 */
int cni_plugin_run(const struct cni_call *call, const char *type, const cJSON *conf,
		   cJSON **ret_result, struct err *e);
