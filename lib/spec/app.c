/* Reading and checking the "app" object. */
#include "spec/app.h"

#include <stddef.h>
#include <string.h>

#include "base/json_check.h"
#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/app_port.h"
#include "spec/unique.h"

#define GID_MAX_VALUE ((int64_t) UINT32_MAX - 1)

static int decode_gid(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct app *a = arg;
	int64_t gid;
	int r = json_int(j, at, 0, GID_MAX_VALUE, &gid, e);

	if (r < 0)
		return r;
	a->supplementary_gids =
		xgrow(a->supplementary_gids, a->n_supplementary_gids, sizeof *a->supplementary_gids);
	a->supplementary_gids[a->n_supplementary_gids++] = gid;
	return 0;
}

static int decode_gids(const cJSON *j, const struct json_at *at, void *app, struct err *e)
{
	return json_each(j, at, decode_gid, app, e);
}

static const char *check_handler_name(const char *s)
{
	return str_eq(s, "pre-start") || str_eq(s, "post-stop") ? NULL : "neither pre-start nor post-stop";
}

/* What there is to execute: at least one word, and the first of them is a name. */
static int check_exec(char *const *exec, const struct json_at *at, struct err *e)
{
	struct json_at here = {.up = at, .key = "exec"};
	struct json_at first = {.up = &here};

	if (!exec)
		return json_err(&here, e, "must not be empty");
	return **exec ? 0 : json_err(&first, e, "must not be empty");
}

static int decode_handler(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name",
		 .type = JSON_F_STRING,
		 .offset = offsetof(struct event_handler, name),
		 .required = true,
		 .check = check_handler_name},
		{.key = "exec",
		 .type = JSON_F_STRV,
		 .offset = offsetof(struct event_handler, exec),
		 .required = true},
	};
	struct app *a = arg;
	struct event_handler *h;
	int r;

	a->handlers = xgrow(a->handlers, a->n_handlers, sizeof *a->handlers);
	h = &a->handlers[a->n_handlers++];
	*h = (struct event_handler) {0};
	r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, h, e);
	return r < 0 ? r : check_exec(h->exec, at, e);
}

static int decode_handlers(const cJSON *j, const struct json_at *at, void *app, struct err *e)
{
	int r = json_each(j, at, decode_handler, app, e);

	return r < 0 ? r : unique_members(j, at, "name", e);
}

static int decode_mount_point(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name",
		 .type = JSON_F_STRING,
		 .offset = offsetof(struct mount_point, name),
		 .required = true,
		 .check = ac_name_check},
		{.key = "path",
		 .type = JSON_F_STRING,
		 .offset = offsetof(struct mount_point, path),
		 .required = true,
		 .check = ac_absolute_path_check},
		{.key = "readOnly", .type = JSON_F_BOOL, .offset = offsetof(struct mount_point, read_only)},
	};
	struct app *a = arg;
	struct mount_point *mp;

	a->mount_points = xgrow(a->mount_points, a->n_mount_points, sizeof *a->mount_points);
	mp = &a->mount_points[a->n_mount_points++];
	*mp = (struct mount_point) {0};
	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, mp, e);
}

static int decode_mount_points(const cJSON *j, const struct json_at *at, void *app, struct err *e)
{
	int r = json_each(j, at, decode_mount_point, app, e);

	return r < 0 ? r : unique_members(j, at, "name", e);
}

static int decode_port(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct app *a = arg;

	a->ports = xgrow(a->ports, a->n_ports, sizeof *a->ports);
	a->ports[a->n_ports] = (struct app_port) {0};
	return app_port_decode(j, at, &a->ports[a->n_ports++], e);
}

static int decode_ports(const cJSON *j, const struct json_at *at, void *app, struct err *e)
{
	int r = json_each(j, at, decode_port, app, e);

	return r < 0 ? r : unique_members(j, at, "name", e);
}

#define AT(member) .offset = offsetof(struct app, member)

/* Rows that fill a vector beside its length get the whole struct: offset 0. */
static const struct json_field app_fields[] = {
	{.key = "exec", .type = JSON_F_STRV, AT(exec)},
	{.key = "user", .type = JSON_F_STRING, AT(user), .required = true, .check = json_check_not_empty},
	{.key = "group", .type = JSON_F_STRING, AT(group), .required = true, .check = json_check_not_empty},
	{.key = "supplementaryGIDs", .type = JSON_F_CALL, .decode = decode_gids},
	{.key = "eventHandlers", .type = JSON_F_CALL, .decode = decode_handlers},
	{.key = "workingDirectory", .type = JSON_F_STRING, AT(working_directory), .check = ac_absolute_path_check},
	{.key = "environment", .type = JSON_F_CALL, AT(environment), .decode = environment_decode},
	{.key = "isolators", .type = JSON_F_CALL, AT(isolators), .decode = isolators_decode_app},
	{.key = "mountPoints", .type = JSON_F_CALL, .decode = decode_mount_points},
	{.key = "ports", .type = JSON_F_CALL, .decode = decode_ports},
	{.key = "userAnnotations", .type = JSON_F_CALL, AT(user_annotations), .decode = string_map_decode},
	{.key = "userLabels", .type = JSON_F_CALL, AT(user_labels), .decode = string_map_decode},
};

int app_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct app **ret = field, *a = xcalloc(1, sizeof *a);
	int r = json_decode(j, at, app_fields, ELEMENTSOF(app_fields), JSON_REFUSE_UNKNOWN, a, e);

	/* No exec at all is allowed: converted Docker images have none, and the command line gives it. */
	if (r >= 0 && a->exec)
		r = check_exec(a->exec, at, e);
	if (r < 0) {
		app_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

const struct event_handler *app_handler(const struct app *a, const char *name)
{
	for (size_t i = 0; i < a->n_handlers; i++)
		if (!strcmp(a->handlers[i].name, name))
			return &a->handlers[i];
	return NULL;
}
