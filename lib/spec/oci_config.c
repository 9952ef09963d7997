/*
 * Image configurations.  What docker wrote beside the specification's members (container_config,
 * OnBuild, ArgsEscaped, Domainname and the like) says how the image was built, and is left alone.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "spec/oci_internal.h"

#define NS_MAX ((int64_t) 1 << 53)

/* {"/data": {}, "/log": {}}: a set, as Go's encoder writes it. */
static int decode_keys(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	int r = json_is_object(j, at, e);
	char **v;
	size_t n = 0;

	if (r < 0 || !j->child)
		return r;
	v = xcalloc((size_t) cJSON_GetArraySize(j) + 1, sizeof *v);
	for (const cJSON *c = j->child; c; c = c->next)
		v[n++] = xstrdup(c->string);
	*(char ***) field = v;
	return 0;
}

/* Docker of old wrote a single word as a string, and still reads it so. */
static int decode_words(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	char **v;
	size_t n = 0;
	int r = 0;

	if (cJSON_IsString(j)) {
		strv_add(field, j->valuestring);
		return 0;
	}
	r = json_is_array(j, at, e);
	if (r < 0 || !j->child)
		return r;
	*(char ***) field = v = xcalloc((size_t) cJSON_GetArraySize(j) + 1, sizeof *v);
	for (const cJSON *c = j->child; c && r == 0; c = c->next) {
		const char *s;

		r = json_str(c, &(struct json_at) {.up = at, .index = n}, &s, e);
		if (r == 0)
			v[n++] = xstrdup(s);
	}
	return r;
}

static int decode_healthcheck(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
#define AT(member) .offset = offsetof(struct oci_healthcheck, member)
	static const struct json_field fields[] = {
		{.key = "Test", .type = JSON_F_STRV, AT(test)},
		{.key = "Interval", .type = JSON_F_I64, AT(interval_ns), .max = NS_MAX},
		{.key = "Timeout", .type = JSON_F_I64, AT(timeout_ns), .max = NS_MAX},
		{.key = "StartPeriod", .type = JSON_F_I64, AT(start_period_ns), .max = NS_MAX},
		{.key = "Retries", .type = JSON_F_I64, AT(retries), .max = INT32_MAX},
	};
#undef AT
	struct oci_healthcheck **ret = field;

	*ret = xcalloc(1, sizeof **ret);
	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, *ret, e);
}

#define AT(member) .offset = offsetof(struct oci_config, member)

static int decode_run(const cJSON *j, const struct json_at *at, void *config, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "User", .type = JSON_F_STRING, AT(user)},
		{.key = "Env", .type = JSON_F_STRV, AT(env)},
		{.key = "Entrypoint", .type = JSON_F_CALL, AT(entrypoint), .decode = decode_words},
		{.key = "Cmd", .type = JSON_F_CALL, AT(cmd), .decode = decode_words},
		{.key = "WorkingDir", .type = JSON_F_STRING, AT(working_dir)},
		{.key = "StopSignal", .type = JSON_F_STRING, AT(stop_signal)},
		{.key = "Volumes", .type = JSON_F_CALL, AT(volumes), .decode = decode_keys},
		{.key = "ExposedPorts", .type = JSON_F_CALL, AT(exposed_ports), .decode = decode_keys},
		{.key = "Labels", .type = JSON_F_CALL, AT(labels), .decode = string_map_decode},
		{.key = "Healthcheck", .type = JSON_F_CALL, AT(healthcheck), .decode = decode_healthcheck},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, config, e);
}

static const char *check_rootfs_type(const char *s)
{
	return str_eq(s, "layers") ? NULL : "not \"layers\"";
}

struct rootfs {
	char *type, **diff_ids;
};

static int decode_rootfs(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "type",
		 .type = JSON_F_STRING,
		 .offset = offsetof(struct rootfs, type),
		 .required = true,
		 .check = check_rootfs_type},
		{.key = "diff_ids",
		 .type = JSON_F_STRV,
		 .offset = offsetof(struct rootfs, diff_ids),
		 .check = oci_digest_check},
	};
	struct rootfs fs = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, &fs, e);

	free(fs.type);
	*(char ***) field = fs.diff_ids;
	return r;
}

static const struct json_field config_fields[] = {
	{.key = "created", .type = JSON_F_STRING, AT(created)},
	{.key = "author", .type = JSON_F_STRING, AT(author)},
	{.key = "os", .type = JSON_F_STRING, AT(platform.os)},
	{.key = "architecture", .type = JSON_F_STRING, AT(platform.architecture)},
	{.key = "variant", .type = JSON_F_STRING, AT(platform.variant)},
	{.key = "os.version", .type = JSON_F_STRING, AT(platform.os_version)},
	{.key = "config", .type = JSON_F_CALL, .decode = decode_run},
	{.key = "rootfs", .type = JSON_F_CALL, AT(diff_ids), .required = true, .decode = decode_rootfs},
};

struct oci_config *oci_config_parse(const char *data, size_t len, struct err *e)
{
	_cleanup_oci_config_ struct oci_config *c = xcalloc(1, sizeof *c);
	_cleanup_json_ cJSON *j = json_parse(data, len, OCI_DOCUMENT_MAX, e);

	if (!j || json_decode(j, JSON_TOP, config_fields, ELEMENTSOF(config_fields), JSON_ALLOW_UNKNOWN, c, e) < 0) {
		err_ctx(e, e ? -e->code : 0, "image configuration");
		return NULL;
	}
	if (!c->user)
		c->user = xstrdup("");
	return take_ptr(c);
}

void oci_config_free(struct oci_config *c)
{
	if (!c)
		return;
	oci_platform_done(&c->platform);
	free(c->created);
	free(c->author);
	free(c->user);
	strv_free(c->env);
	strv_free(c->entrypoint);
	strv_free(c->cmd);
	free(c->working_dir);
	free(c->stop_signal);
	strv_free(c->volumes);
	strv_free(c->exposed_ports);
	nameval_done(&c->labels);
	if (c->healthcheck)
		strv_free(c->healthcheck->test);
	free(c->healthcheck);
	strv_free(c->diff_ids);
	free(c);
}
