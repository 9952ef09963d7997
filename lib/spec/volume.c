/* Volumes: as an object of a manifest, and in the command line's form. */
#include "spec/volume.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "spec/ac_name.h"

#define ID_MAX_VALUE ((int64_t) UINT32_MAX - 1)
#define MODE_DEFAULT 0755

/* A volume while it is read: what was given decides what is allowed. */
struct draft {
	struct volume v;
	char *kind;
	bool has_mode, has_uid, has_gid;
};

static const char *check_kind(const char *s)
{
	return str_eq(s, "host") || str_eq(s, "empty") ? NULL : "neither host nor empty";
}

static int decode_mode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	const char *s;
	mode_t mode;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	if (parse_mode(s, &mode) < 0)
		return json_err(at, e, "%s: not an octal mode", q(s));
	*(int64_t *) field = mode;
	return 0;
}

/* The kind's own rules; *key is the member at fault. Returns NULL when fine. */
static const char *check_draft(struct draft *d, const char **key)
{
	const struct {
		const char *key;
		bool given, for_host;
	} rules[] = {
		{"source", d->v.source, true},	   {"recursive", d->v.recursive_given, true},
		{"mode", d->has_mode, false}, {"uid", d->has_uid, false}, {"gid", d->has_gid, false},
	};

	d->v.kind = str_eq(d->kind, "host") ? VOLUME_HOST : VOLUME_EMPTY;
	for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
		*key = rules[i].key;
		if (rules[i].given && rules[i].for_host != (d->v.kind == VOLUME_HOST))
			return rules[i].for_host ? "only for kind host" : "only for kind empty";
	}
	*key = "source";
	return d->v.kind == VOLUME_HOST && !d->v.source ? "required for kind host" : NULL;
}

static struct draft draft_new(void)
{
	return (struct draft) {.v = {.recursive = true, .mode = MODE_DEFAULT}};
}

#define AT(member) .offset = offsetof(struct draft, member)

int volume_decode(const cJSON *j, const struct json_at *at, struct volume *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, AT(v.name), .required = true, .check = ac_name_check},
		{.key = "kind", .type = JSON_F_STRING, AT(kind), .required = true, .check = check_kind},
		{.key = "source", .type = JSON_F_STRING, AT(v.source), .check = ac_absolute_path_check},
		{.key = "readOnly",
		 .type = JSON_F_BOOL,
		 AT(v.read_only),
		 .present = offsetof(struct draft, v.read_only_given)},
		{.key = "recursive",
		 .type = JSON_F_BOOL,
		 AT(v.recursive),
		 .present = offsetof(struct draft, v.recursive_given)},
		{.key = "mode",
		 .type = JSON_F_CALL,
		 AT(v.mode),
		 .decode = decode_mode,
		 .present = offsetof(struct draft, has_mode)},
		{.key = "uid",
		 .type = JSON_F_I64,
		 AT(v.uid),
		 .max = ID_MAX_VALUE,
		 .present = offsetof(struct draft, has_uid)},
		{.key = "gid",
		 .type = JSON_F_I64,
		 AT(v.gid),
		 .max = ID_MAX_VALUE,
		 .present = offsetof(struct draft, has_gid)},
	};
	struct draft d = draft_new();
	const char *why, *key;
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &d, e);

	if (r >= 0) {
		why = check_draft(&d, &key);
		if (why) {
			struct json_at here = {.up = at, .key = key};

			r = json_err(&here, e, "%s", why);
		}
	}
	free(d.kind);
	if (r < 0)
		volume_done(&d.v);
	else
		*ret = d.v;
	return r;
}

cJSON *volume_encode(const struct volume *v)
{
	_cleanup_free_ char *mode = xasprintf("%04o", (unsigned) v->mode);
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "name", v->name);
	cJSON_AddStringToObject(o, "kind", v->kind == VOLUME_HOST ? "host" : "empty");
	if (v->read_only || v->read_only_given)
		cJSON_AddBoolToObject(o, "readOnly", v->read_only);
	if (v->kind == VOLUME_HOST) {
		cJSON_AddStringToObject(o, "source", v->source);
		if (v->recursive_given || !v->recursive)
			cJSON_AddBoolToObject(o, "recursive", v->recursive);
		return o;
	}
	cJSON_AddStringToObject(o, "mode", mode);
	cJSON_AddNumberToObject(o, "uid", (double) v->uid);
	cJSON_AddNumberToObject(o, "gid", (double) v->gid);
	return o;
}

void volume_done(struct volume *v)
{
	free(v->name);
	free(v->source);
	*v = (struct volume) {0};
}

/* --- command line: NAME,kind=host,source=/x ----------------------------------------------------- */

static const char *set_bool(const char *value, bool *ret)
{
	return parse_bool(value, ret) < 0 ? "neither true nor false" : NULL;
}

static const char *set_id(const char *value, int64_t *ret)
{
	uid_t id;

	if (parse_uid(value, &id) < 0)
		return "not a user or group id";
	*ret = id;
	return NULL;
}

/* One key=value; returns what is wrong with it, or NULL. */
static const char *set_key(struct draft *d, const char *key, const char *value)
{
	mode_t mode;
	const char *why;

	if (!strcmp(key, "kind")) {
		why = check_kind(value);
		if (!why)
			d->kind = xstrdup(value);
		return why;
	}
	if (!strcmp(key, "source")) {
		why = ac_absolute_path_check(value);
		if (!why)
			d->v.source = xstrdup(value);
		return why;
	}
	if (!strcmp(key, "readOnly")) {
		d->v.read_only_given = true;
		return set_bool(value, &d->v.read_only);
	}
	if (!strcmp(key, "recursive")) {
		d->v.recursive_given = true;
		return set_bool(value, &d->v.recursive);
	}
	if (!strcmp(key, "mode")) {
		if (parse_mode(value, &mode) < 0)
			return "not an octal mode";
		d->has_mode = true;
		d->v.mode = mode;
		return NULL;
	}
	if (!strcmp(key, "uid")) {
		d->has_uid = true;
		return set_id(value, &d->v.uid);
	}
	if (!strcmp(key, "gid")) {
		d->has_gid = true;
		return set_id(value, &d->v.gid);
	}
	return "unknown key";
}

/* parts: the text at its commas; the first is the name. */
static int read_parts(struct draft *d, char **parts, struct err *e)
{
	_cleanup_strv_ char **seen = NULL;
	const char *why = ac_name_check(parts[0]), *key;

	if (why)
		return err_set(e, EINVAL, "name %s: %s", q(parts[0]), why);
	d->v.name = xstrdup(parts[0]);
	for (char **p = parts + 1; *p; p++) {
		char *eq = strchr(*p, '=');

		if (!eq)
			return err_set(e, EINVAL, "%s: expected key=value", q(*p));
		*eq = '\0';
		if (strv_has(seen, *p))
			return err_set(e, EINVAL, "key %s is there twice", q(*p));
		strv_add(&seen, *p);
		why = set_key(d, *p, eq + 1);
		if (why)
			return err_set(e, EINVAL, "%s=%s: %s", *p, q(eq + 1), why);
	}
	if (!d->kind)
		return err_set(e, EINVAL, "kind is missing");
	why = check_draft(d, &key);
	return why ? err_set(e, EINVAL, "%s: %s", key, why) : 0;
}

int volume_parse(const char *text, struct volume *ret, struct err *e)
{
	_cleanup_strv_ char **parts = strv_split(text, ',');
	struct draft d = draft_new();
	int r = read_parts(&d, parts, e);

	free(d.kind);
	if (r < 0) {
		volume_done(&d.v);
		return err_ctx(e, r, "volume %s", q(text));
	}
	*ret = d.v;
	return 0;
}
