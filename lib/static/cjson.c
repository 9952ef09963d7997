/*
 * cJSON's functions for static programs: as many of those that cjson/cJSON.h declares as gantry calls.
 *
 * Debian has cJSON as a shared library only, and a CNI plugin must not wait for a dynamic linker: its start is most
 * of its price (Documentation/architecture.md).  Programs that are linked dynamically use the library.  Trees and
 * texts are those of version 1.7.15 (tests/unit/test_static_cjson.c and fuzz_static_cjson ask both), but that memory
 * which runs out ends the process.  Here are the trees, in cjson_text.c their texts.
 */
#include <cjson/cJSON.h>

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

#define TYPE(j) ((j) ? (j)->type & 0xff : 0)

/* --- items --- */

static cJSON *item(int type)
{
	cJSON *j = xcalloc(1, sizeof *j);

	j->type = type;
	return j;
}

static cJSON *text_item(int type, const char *text)
{
	cJSON *j = item(type);

	j->valuestring = xstrdup(text);
	return j;
}

double cJSON_SetNumberHelper(cJSON *j, double v)
{
	j->valueint = v >= INT32_MAX ? INT32_MAX : v <= INT32_MIN ? INT32_MIN : (int) v;
	return j->valuedouble = v;
}

/* The first child's `prev` is the last one. */
static void append(cJSON *parent, cJSON *child)
{
	cJSON *first = parent->child;

	if (!first) {
		parent->child = child;
		child->prev = child;
		child->next = NULL;
		return;
	}
	first->prev->next = child;
	child->prev = first->prev;
	child->next = NULL;
	first->prev = child;
}

void cJSON_Delete(cJSON *j)
{
	while (j) {
		cJSON *next = j->next;

		if (!(j->type & cJSON_IsReference)) {
			cJSON_Delete(j->child);
			free(j->valuestring);
		}
		if (!(j->type & cJSON_StringIsConst))
			free(j->string);
		free(j);
		j = next;
	}
}

cJSON *cJSON_Duplicate(const cJSON *j, cJSON_bool recurse)
{
	cJSON *copy;

	if (!j)
		return NULL;
	copy = item(j->type & ~(cJSON_IsReference | cJSON_StringIsConst));
	copy->valueint = j->valueint;
	copy->valuedouble = j->valuedouble;
	copy->valuestring = xstrdup_null(j->valuestring);
	copy->string = xstrdup_null(j->string);
	for (const cJSON *c = recurse ? j->child : NULL; c; c = c->next)
		append(copy, cJSON_Duplicate(c, 1));
	return copy;
}

int cJSON_GetArraySize(const cJSON *array)
{
	int n = 0;

	for (const cJSON *c = array ? array->child : NULL; c; c = c->next)
		n++;
	return n;
}

cJSON_bool cJSON_IsTrue(const cJSON *j)
{
	return TYPE(j) == cJSON_True;
}

cJSON_bool cJSON_IsBool(const cJSON *j)
{
	return TYPE(j) == cJSON_True || TYPE(j) == cJSON_False;
}

cJSON_bool cJSON_IsNull(const cJSON *j)
{
	return TYPE(j) == cJSON_NULL;
}

cJSON_bool cJSON_IsNumber(const cJSON *j)
{
	return TYPE(j) == cJSON_Number;
}

cJSON_bool cJSON_IsString(const cJSON *j)
{
	return TYPE(j) == cJSON_String;
}

cJSON_bool cJSON_IsArray(const cJSON *j)
{
	return TYPE(j) == cJSON_Array;
}

cJSON_bool cJSON_IsObject(const cJSON *j)
{
	return TYPE(j) == cJSON_Object;
}

cJSON_bool cJSON_IsRaw(const cJSON *j)
{
	return TYPE(j) == cJSON_Raw;
}

/* --- building --- */

cJSON *cJSON_CreateObject(void)
{
	return item(cJSON_Object);
}

cJSON *cJSON_CreateArray(void)
{
	return item(cJSON_Array);
}

cJSON *cJSON_CreateString(const char *text)
{
	return text_item(cJSON_String, text);
}

cJSON_bool cJSON_AddItemToArray(cJSON *array, cJSON *j)
{
	if (!array || !j || array == j)
		return 0;
	append(array, j);
	return 1;
}

cJSON_bool cJSON_AddItemToObject(cJSON *object, const char *key, cJSON *j)
{
	if (!object || !key || !j || object == j)
		return 0;
	if (!(j->type & cJSON_StringIsConst))
		free(j->string);
	j->type &= ~cJSON_StringIsConst;
	j->string = xstrdup(key);
	append(object, j);
	return 1;
}

static cJSON *add(cJSON *object, const char *key, cJSON *j)
{
	if (cJSON_AddItemToObject(object, key, j))
		return j;
	cJSON_Delete(j);
	return NULL;
}

cJSON *cJSON_AddBoolToObject(cJSON *object, const char *key, cJSON_bool v)
{
	return add(object, key, item(v ? cJSON_True : cJSON_False));
}

cJSON *cJSON_AddNumberToObject(cJSON *object, const char *key, double v)
{
	cJSON *j = item(cJSON_Number);

	(void) cJSON_SetNumberHelper(j, v);
	return add(object, key, j);
}

cJSON *cJSON_AddStringToObject(cJSON *object, const char *key, const char *text)
{
	return add(object, key, text_item(cJSON_String, text));
}

cJSON *cJSON_AddRawToObject(cJSON *object, const char *key, const char *text)
{
	return add(object, key, text_item(cJSON_Raw, text));
}

cJSON *cJSON_AddObjectToObject(cJSON *object, const char *key)
{
	return add(object, key, item(cJSON_Object));
}

cJSON *cJSON_AddArrayToObject(cJSON *object, const char *key)
{
	return add(object, key, item(cJSON_Array));
}
