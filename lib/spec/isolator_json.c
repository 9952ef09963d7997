/*
 * Isolators whose value is kept as JSON once its form was checked.
 */
#include "spec/isolator_json.h"

#include <stddef.h>
#include <string.h>

#include "base/json_check.h"
#include "base/str.h"
#include "spec/check_decode.h"

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

static bool only(const char *s, const char *chars)
{
	return *s && !s[strspn(s, chars)];
}

static cJSON *keep(const cJSON *j)
{
	cJSON *copy = cJSON_Duplicate(j, true);

	if (!copy)
		abort();
	return copy;
}

/* The colon separates the parts of a context; only the level, the last, may hold one. */
static const char *check_context_part(const char *s)
{
	return strchr(s, ':') ? "a colon is not allowed" : json_check_not_empty(s);
}

int isolator_decode_selinux(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	struct {
		char *user, *role, *type, *level;
	} ctx = {0};
#define PART(name, how)                                                                            \
	{                                                                                          \
		.key = #name, .type = JSON_F_STRING, .required = true, .check = how,               \
		.offset = offsetof(__typeof__(ctx), name)                                          \
	}
	const struct json_field fields[] = {
		PART(user, check_context_part),
		PART(role, check_context_part),
		PART(type, check_context_part),
		PART(level, json_check_not_empty),
	};
#undef PART
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &ctx, e);

	free(ctx.user);
	free(ctx.role);
	free(ctx.type);
	free(ctx.level);
	if (r < 0)
		return r;
	iso->raw = keep(j);
	return 0;
}

int isolator_decode_apparmor(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "profile", .type = JSON_F_STRING, .required = true, .check = json_check_not_empty},
	};
	_cleanup_free_ char *profile = NULL;
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &profile, e);

	if (r < 0)
		return r;
	iso->raw = keep(j);
	return 0;
}

/* "net.ipv4.ip_forward": parts that cannot climb out of /proc/sys. */
static bool is_sysctl_key(const char *s)
{
	if (!only(s, UPPER LOWER DIGIT "_-.") || *s == '.' || str_ends(s, "."))
		return false;
	return strchr(s, '.') && !strstr(s, "..");
}

/* CVE-2022-0811: a value with more than one line or word must not become more than one setting. */
static bool is_sysctl_value(const char *s)
{
	for (; *s; s++)
		if ((unsigned char) *s < ' ' && *s != '\t')
			return false;
	return true;
}

int isolator_decode_sysctl(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	int r = json_is_object(j, at, e);

	if (r < 0)
		return r;
	for (const cJSON *c = j->child; c; c = c->next) {
		struct json_at here = {.up = at, .key = c->string};
		const char *value;

		if (!is_sysctl_key(c->string))
			return json_err(&here, e, "not a sysctl's name");
		r = json_str(c, &here, &value, e);
		if (r < 0)
			return r;
		if (!is_sysctl_value(value))
			return json_err(&here, e, "%s: control characters are not allowed", q(value));
	}
	iso->raw = keep(j);
	return 0;
}

/* --- how an app lives (check.h) --- */

int isolator_decode_check(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	_cleanup_check_ struct check c = {0};
	int r = iso->kind == ISO_PROBE ? probe_decode(j, at, &c, e) : healthcheck_decode(j, at, &c, e);

	iso->raw = r == 0 ? keep(j) : NULL;
	return r;
}

int isolator_decode_restart(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	enum restart_policy policy;
	int r = restart_decode(j, at, &policy, e);

	iso->raw = r == 0 ? keep(j) : NULL;
	return r;
}

int isolator_decode_stop_signal(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	int sig, r = stop_signal_decode(j, at, &sig, e);

	iso->raw = r == 0 ? keep(j) : NULL;
	return r;
}

int isolator_decode_stop_timeout(const cJSON *j, const struct json_at *at, struct isolator *iso, struct err *e)
{
	int64_t ms;
	int r = stop_timeout_decode(j, at, &ms, e);

	iso->raw = r == 0 ? keep(j) : NULL;
	return r;
}
