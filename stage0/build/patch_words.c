#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage0/build/patch.h"

int patch_exec(const char *text, cJSON **ret, struct err *e)
{
	_cleanup_json_ cJSON *array = cJSON_CreateArray();

	for (;;) {
		size_t n;

		text += strspn(text, " \t\n");
		n = strcspn(text, " \t\n");
		if (!n)
			break;
		_cleanup_free_ char *word = xstrndup(text, n);

		cJSON_AddItemToArray(array, cJSON_CreateString(word));
		text += n;
	}
	if (!array->child)
		return err_set(e, EINVAL, "no command");
	*ret = take_ptr(array);
	return 0;
}

/* A "key=value" of a list; stores it in the object, as what it is. */
typedef int (*pair_fn)(cJSON *object, const char *key, const char *value, struct err *e);

/* "name,k=v,k=v:name,k=v" -> [{"name": name, ...}] */
static int objects(const char *text, pair_fn fn, cJSON **ret, struct err *e)
{
	_cleanup_json_ cJSON *array = cJSON_CreateArray();
	_cleanup_strv_ char **parts = strv_split(text, ':');

	for (char **p = parts; *p; p++) {
		_cleanup_strv_ char **words = strv_split(*p, ',');
		cJSON *object = cJSON_CreateObject();

		cJSON_AddItemToArray(array, object);
		if (!*words[0] || strchr(words[0], '='))
			return err_set(e, EINVAL, "%s: the name comes first", q(*p));
		cJSON_AddStringToObject(object, "name", words[0]);
		for (char **w = words + 1; *w; w++) {
			char *is = strchr(*w, '=');
			int r;

			if (!is)
				return err_set(e, EINVAL, "%s is no key=value", q(*w));
			*is = '\0';
			if (json_get(object, *w))
				return err_set(e, EINVAL, "%s is there twice", q(*w));
			r = fn(object, *w, is + 1, e);
			if (r < 0)
				return r;
		}
	}
	*ret = take_ptr(array);
	return 0;
}

static int add_bool(cJSON *object, const char *key, const char *value, struct err *e)
{
	bool yes;

	if (parse_bool(value, &yes) < 0)
		return err_set(e, EINVAL, "%s: %s is neither true nor false", key, q(value));
	cJSON_AddBoolToObject(object, key, yes);
	return 0;
}

static int add_number(cJSON *object, const char *key, const char *value, struct err *e)
{
	uint64_t n;

	if (parse_u64(value, 65535, &n) < 0)
		return err_set(e, EINVAL, "%s: %s is no number up to 65535", key, q(value));
	json_add_int(object, key, (int64_t) n);
	return 0;
}

static int mount_pair(cJSON *object, const char *key, const char *value, struct err *e)
{
	if (!strcmp(key, "readOnly"))
		return add_bool(object, key, value, e);
	if (strcmp(key, "path"))
		return err_set(e, EINVAL, "unknown key %s", q(key));
	cJSON_AddStringToObject(object, key, value);
	return 0;
}

int patch_mounts(const char *text, cJSON **ret, struct err *e)
{
	return objects(text, mount_pair, ret, e);
}

static int port_pair(cJSON *object, const char *key, const char *value, struct err *e)
{
	if (!strcmp(key, "port") || !strcmp(key, "count"))
		return add_number(object, key, value, e);
	if (!strcmp(key, "socketActivated"))
		return add_bool(object, key, value, e);
	if (strcmp(key, "protocol"))
		return err_set(e, EINVAL, "unknown key %s", q(key));
	cJSON_AddStringToObject(object, key, value);
	return 0;
}

int patch_ports(const char *text, cJSON **ret, struct err *e)
{
	return objects(text, port_pair, ret, e);
}

cJSON *patch_set(const char *text)
{
	_cleanup_strv_ char **words = strv_split(text, ',');
	cJSON *o = cJSON_CreateObject(), *array = cJSON_AddArrayToObject(o, "set");

	for (char **w = words; *w; w++)
		if (**w)
			cJSON_AddItemToArray(array, cJSON_CreateString(*w));
	return o;
}

static int isolator_pair(cJSON *object, const char *key, const char *value, struct err *e)
{
	cJSON *v = json_get(object, "value");

	if (!v)
		v = cJSON_AddObjectToObject(object, "value");
	if (json_get(v, key))
		return err_set(e, EINVAL, "%s is there twice", q(key));
	if (!strcmp(key, "default"))
		return add_bool(v, key, value, e);
	cJSON_AddStringToObject(v, key, value);
	return 0;
}

int patch_isolators(const char *text, cJSON **ret, struct err *e)
{
	return objects(text, isolator_pair, ret, e);
}

int patch_isolator(const char *text, cJSON **ret, struct err *e)
{
	const char *is = strchr(text, '=');
	_cleanup_free_ char *name = NULL;
	cJSON *value;

	if (!is || is == text)
		return err_set(e, EINVAL, "%s is no name=JSON", q(text));
	name = xstrndup(text, (size_t) (is - text));
	value = json_parse(is + 1, strlen(is + 1), JSON_MANIFEST_MAX, e);
	if (!value)
		return err_ctx(e, -EINVAL, "%s", q(name));
	*ret = cJSON_CreateObject();
	cJSON_AddStringToObject(*ret, "name", name);
	cJSON_AddItemToObject(*ret, "value", value);
	return 0;
}
