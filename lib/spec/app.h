/*
 * The "app" object of the appc specification: how one app is run.
 */
#pragma once

#include "spec/isolator.h"
#include "spec/nameval.h"

struct mount_point {
	char *name; /* AC Name */
	char *path; /* absolute */
	bool read_only;
};

struct app_port {
	char *name, *protocol;
	int64_t port, count;
	bool socket_activated;
};

struct event_handler {
	char *name; /* "pre-start" or "post-stop" */
	char **exec;
};

struct app {
	char **exec;
	char *user, *group; /* required by the specification */
	int64_t *supplementary_gids;
	size_t n_supplementary_gids;
	struct event_handler *handlers;
	size_t n_handlers;
	char *working_directory; /* NULL: "/" */
	struct nameval_list environment;
	struct isolator_list isolators;
	struct mount_point *mount_points;
	size_t n_mount_points;
	struct app_port *ports;
	size_t n_ports;
	struct nameval_list user_annotations, user_labels;
};

/* Decode and validate; `*field` is a struct app * that is allocated (NULL before). JSON_F_CALL form. */
int app_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);
cJSON *app_encode(const struct app *a);
struct app *app_copy(const struct app *a);
void app_free(struct app *a);
const struct event_handler *app_handler(const struct app *a, const char *name);
