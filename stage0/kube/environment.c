/*
 * env, envFrom, and $(NAME) in words.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "stage0/kube/internal.h"

static const char *lookup(char *const *environment, const char *name, size_t len)
{
	for (; environment && *environment; environment++)
		if (!strncmp(*environment, name, len) && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

int kube_take_room(const struct kube_docs *docs, size_t bytes, const struct json_at *at, struct err *e)
{
	if (bytes > *docs->room)
		return json_err(at, e, "the values of variables and ConfigMaps come to more than %u bytes", KUBE_ROOM);
	*docs->room -= bytes;
	return 0;
}

/* "$$" is one; what is not known stays as it is written. */
int kube_substitute(const struct kube_docs *docs, const char *text, char *const *environment,
		    const struct json_at *at, char **ret, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (const char *p = text; *p; p++) {
		const char *end = p[0] == '$' && p[1] == '(' ? strchr(p, ')') : NULL;
		const char *value = end ? lookup(environment, p + 2, (size_t) (end - p - 2)) : NULL;

		if (p[0] == '$' && p[1] == '$') {
			strbuf_addc(&sb, '$');
			p++;
		} else if (value) {
			int r = kube_take_room(docs, strlen(value), at, e);

			if (r < 0)
				return r;
			strbuf_adds(&sb, value);
			p = end;
		} else {
			strbuf_addc(&sb, *p);
		}
	}
	*ret = strbuf_take(&sb);
	return 0;
}

/* A later one of the same name wins. */
static int set_variable(const struct kube_docs *docs, struct app_request *app, const char *name, const char *value,
			const struct json_at *at, struct err *e)
{
	const char *why = ac_env_name_check(name);
	size_t len = strlen(name), n = strv_len(app->environment);
	int r = why ? json_err(at, e, "%s: %s", q(name), why) : kube_take_room(docs, len + strlen(value), at, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!strncmp(app->environment[i], name, len) && app->environment[i][len] == '=') {
			free(app->environment[i]);
			app->environment[i] = xasprintf("%s=%s", name, value);
			return 0;
		}
	strv_push(&app->environment, xasprintf("%s=%s", name, value));
	return 0;
}

struct key_ref {
	char *name, *key;
	bool optional;
};

static void key_ref_done(struct key_ref *ref)
{
	free(ref->name);
	free(ref->key);
}

/* 1 with *ret: the value of a key of a ConfigMap; 0: it is not there, and need not be. */
static int from_map(const struct kube_docs *docs, const cJSON *j, const struct json_at *at, const char **ret,
		    struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct key_ref, name), .required = true},
		{.key = "key", .type = JSON_F_STRING, .offset = offsetof(struct key_ref, key), .required = true},
		{.key = "optional", .type = JSON_F_BOOL, .offset = offsetof(struct key_ref, optional)},
	};
	struct key_ref ref = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &ref, e);
	const cJSON *map = r == 0 ? kube_map(docs, ref.name) : NULL;

	if (r == 0) {
		*ret = json_get_str(json_get(map, "data"), ref.key);
		r = *ret ? 1 : ref.optional ? 0 : json_err(at, e, "no ConfigMap %s with the key %s",
							    q(ref.name), q(ref.key));
	}
	key_ref_done(&ref);
	return r;
}

struct variable {
	char *name, *value;
	const cJSON *from;
};

static int value_from(const struct kube_docs *docs, const cJSON *j, const struct json_at *at, const char **ret,
		      struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "configMapKeyRef", .type = JSON_F_CALL, .decode = kube_keep},
	};
	const cJSON *ref = NULL;
	const struct json_at here = {.up = at, .key = "configMapKeyRef"};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &ref, e);

	if (r == 0 && !ref)
		r = json_err(at, e, "expected configMapKeyRef");
	return r < 0 ? r : from_map(docs, ref, &here, ret, e);
}

static int add_variable(const struct kube_docs *docs, const cJSON *j, const struct json_at *at,
			struct app_request *app, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct variable, name), .required = true},
		{.key = "value", .type = JSON_F_STRING, .offset = offsetof(struct variable, value)},
		{.key = "valueFrom", .type = JSON_F_CALL, .offset = offsetof(struct variable, from),
		 .decode = kube_keep},
	};
	const struct json_at from_at = {.up = at, .key = "valueFrom"};
	_cleanup_free_ char *value = NULL;
	const char *text = NULL;
	struct variable v = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &v, e);

	if (r == 0 && v.from && v.value)
		r = json_err(at, e, "value and valueFrom exclude each other");
	if (r == 0 && v.from) {
		r = value_from(docs, v.from, &from_at, &text, e);
		/* An optional one that is not there. */
		if (r == 0)
			goto out;
		value = xstrdup_null(text);
	} else if (r == 0) {
		r = kube_substitute(docs, v.value ? v.value : "", app->environment, at, &value, e);
	}
	if (r >= 0)
		r = set_variable(docs, app, v.name, value, at, e);
out:
	free(v.name);
	free(v.value);
	return r < 0 ? r : 0;
}

struct source {
	char *prefix;
	const cJSON *map;
};

static int add_all(const struct kube_docs *docs, const cJSON *j, const struct json_at *at,
		   struct app_request *app, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "prefix", .type = JSON_F_STRING, .offset = offsetof(struct source, prefix)},
		{.key = "configMapRef", .type = JSON_F_CALL, .offset = offsetof(struct source, map),
		 .required = true, .decode = kube_keep},
	};
	static const struct json_field ref_fields[] = {
		{.key = "name", .type = JSON_F_STRING, .offset = offsetof(struct key_ref, name), .required = true},
		{.key = "optional", .type = JSON_F_BOOL, .offset = offsetof(struct key_ref, optional)},
	};
	const struct json_at ref_at = {.up = at, .key = "configMapRef"};
	const cJSON *map = NULL, *pair;
	struct key_ref ref = {0};
	struct source s = {0};
	int r = json_decode(j, at, fields, ELEMENTSOF(fields), JSON_REFUSE_UNKNOWN, &s, e);

	if (r == 0)
		r = json_decode(s.map, &ref_at, ref_fields, ELEMENTSOF(ref_fields), JSON_REFUSE_UNKNOWN, &ref, e);
	if (r == 0) {
		map = kube_map(docs, ref.name);
		if (!map && !ref.optional)
			r = json_err(&ref_at, e, "no ConfigMap %s", q(ref.name));
	}
	for (pair = json_get(map, "data") ? json_get(map, "data")->child : NULL; r == 0 && pair; pair = pair->next) {
		_cleanup_free_ char *name = xasprintf("%s%s", s.prefix ? s.prefix : "", pair->string);

		if (!ac_env_name_check(name)) /* others are no names of variables: left out, as there */
			r = set_variable(docs, app, name, pair->valuestring ? pair->valuestring : "", at, e);
	}
	free(s.prefix);
	key_ref_done(&ref);
	return r;
}

int kube_environment(const struct kube_docs *docs, const cJSON *env, const cJSON *from, const struct json_at *at,
		     struct app_request *app, struct err *e)
{
	const struct json_at env_at = {.up = at, .key = "env"}, from_at = {.up = at, .key = "envFrom"};
	const cJSON *one;
	size_t i = 0;
	int r = 0;

	if ((from && json_is_array(from, &from_at, e) < 0) || (env && json_is_array(env, &env_at, e) < 0))
		return -EINVAL;
	for (one = from ? from->child : NULL; r == 0 && one; one = one->next, i++)
		r = add_all(docs, one, &(struct json_at) {&from_at, NULL, i}, app, e);
	i = 0;
	for (one = env ? env->child : NULL; r == 0 && one; one = one->next, i++)
		r = add_variable(docs, one, &(struct json_at) {&env_at, NULL, i}, app, e);
	return r;
}
