/* The "app" object's other life: written as JSON, copied, freed. */
#include "base/str.h"
#include "spec/app.h"
#include "spec/app_port.h"

static cJSON *strings(char *const *v)
{
	return cJSON_CreateStringArray((const char *const *) v, (int) strv_len(v));
}

static cJSON *encode_handlers(const struct app *a)
{
	cJSON *v = cJSON_CreateArray();

	for (size_t i = 0; i < a->n_handlers; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "name", a->handlers[i].name);
		cJSON_AddItemToObject(o, "exec", strings(a->handlers[i].exec));
		cJSON_AddItemToArray(v, o);
	}
	return v;
}

static cJSON *encode_mount_points(const struct app *a)
{
	cJSON *v = cJSON_CreateArray();

	for (size_t i = 0; i < a->n_mount_points; i++) {
		const struct mount_point *mp = &a->mount_points[i];
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "name", mp->name);
		cJSON_AddStringToObject(o, "path", mp->path);
		if (mp->read_only)
			cJSON_AddBoolToObject(o, "readOnly", true);
		cJSON_AddItemToArray(v, o);
	}
	return v;
}

static cJSON *encode_ports(const struct app *a)
{
	cJSON *v = cJSON_CreateArray();

	for (size_t i = 0; i < a->n_ports; i++)
		cJSON_AddItemToArray(v, app_port_encode(&a->ports[i]));
	return v;
}

static cJSON *encode_gids(const struct app *a)
{
	cJSON *v = cJSON_CreateArray();

	for (size_t i = 0; i < a->n_supplementary_gids; i++)
		cJSON_AddItemToArray(v, cJSON_CreateNumber((double) a->supplementary_gids[i]));
	return v;
}

cJSON *app_encode(const struct app *a)
{
	cJSON *o = cJSON_CreateObject();

	if (a->exec)
		cJSON_AddItemToObject(o, "exec", strings(a->exec));
	if (a->user)
		cJSON_AddStringToObject(o, "user", a->user);
	if (a->group)
		cJSON_AddStringToObject(o, "group", a->group);
	if (a->n_supplementary_gids)
		cJSON_AddItemToObject(o, "supplementaryGIDs", encode_gids(a));
	if (a->n_handlers)
		cJSON_AddItemToObject(o, "eventHandlers", encode_handlers(a));
	if (a->working_directory)
		cJSON_AddStringToObject(o, "workingDirectory", a->working_directory);
	if (a->environment.n)
		cJSON_AddItemToObject(o, "environment", nameval_encode_list(&a->environment));
	if (a->isolators.n)
		cJSON_AddItemToObject(o, "isolators", isolators_encode(&a->isolators));
	if (a->n_mount_points)
		cJSON_AddItemToObject(o, "mountPoints", encode_mount_points(a));
	if (a->n_ports)
		cJSON_AddItemToObject(o, "ports", encode_ports(a));
	if (a->user_annotations.n)
		cJSON_AddItemToObject(o, "userAnnotations", nameval_encode_map(&a->user_annotations));
	if (a->user_labels.n)
		cJSON_AddItemToObject(o, "userLabels", nameval_encode_map(&a->user_labels));
	return o;
}

/*
 * Vectors are copied through xgrow(), element by element, so that the copy has the room that the next
 * xgrow() expects.
 */
static void copy_vectors(struct app *c, const struct app *a)
{
	for (size_t i = 0; i < a->n_supplementary_gids; i++) {
		c->supplementary_gids = xgrow(c->supplementary_gids, i, sizeof *c->supplementary_gids);
		c->supplementary_gids[i] = a->supplementary_gids[i];
	}
	for (size_t i = 0; i < a->n_handlers; i++) {
		c->handlers = xgrow(c->handlers, i, sizeof *c->handlers);
		c->handlers[i] = (struct event_handler) {.name = xstrdup(a->handlers[i].name),
							 .exec = strv_copy(a->handlers[i].exec)};
	}
	for (size_t i = 0; i < a->n_mount_points; i++) {
		c->mount_points = xgrow(c->mount_points, i, sizeof *c->mount_points);
		c->mount_points[i] = (struct mount_point) {.name = xstrdup(a->mount_points[i].name),
							   .path = xstrdup(a->mount_points[i].path),
							   .read_only = a->mount_points[i].read_only};
	}
	for (size_t i = 0; i < a->n_ports; i++) {
		c->ports = xgrow(c->ports, i, sizeof *c->ports);
		app_port_copy(&c->ports[i], &a->ports[i]);
	}
	c->n_supplementary_gids = a->n_supplementary_gids;
	c->n_handlers = a->n_handlers;
	c->n_mount_points = a->n_mount_points;
	c->n_ports = a->n_ports;
}

struct app *app_copy(const struct app *a)
{
	struct app *c = xcalloc(1, sizeof *c);

	c->exec = strv_copy(a->exec);
	c->user = xstrdup_null(a->user);
	c->group = xstrdup_null(a->group);
	c->working_directory = xstrdup_null(a->working_directory);
	copy_vectors(c, a);
	nameval_copy(&c->environment, &a->environment);
	isolators_copy(&c->isolators, &a->isolators);
	nameval_copy(&c->user_annotations, &a->user_annotations);
	nameval_copy(&c->user_labels, &a->user_labels);
	return c;
}

void app_free(struct app *a)
{
	if (!a)
		return;
	strv_free(a->exec);
	free(a->user);
	free(a->group);
	free(a->supplementary_gids);
	for (size_t i = 0; i < a->n_handlers; i++) {
		free(a->handlers[i].name);
		strv_free(a->handlers[i].exec);
	}
	free(a->handlers);
	free(a->working_directory);
	nameval_done(&a->environment);
	isolators_done(&a->isolators);
	for (size_t i = 0; i < a->n_mount_points; i++) {
		free(a->mount_points[i].name);
		free(a->mount_points[i].path);
	}
	free(a->mount_points);
	for (size_t i = 0; i < a->n_ports; i++)
		app_port_done(&a->ports[i]);
	free(a->ports);
	nameval_done(&a->user_annotations);
	nameval_done(&a->user_labels);
	free(a);
}
