/* cJSON's functions for static programs: looking into trees and changing them.  See cjson.c. */
#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define TYPE(j) ((j) ? (j)->type & 0xff : 0)

/* --- looking --- */

cJSON *cJSON_GetArrayItem(const cJSON *array, int i)
{
	cJSON *c = array && i >= 0 ? array->child : NULL;

	while (c && i-- > 0)
		c = c->next;
	return c;
}

cJSON *cJSON_GetObjectItemCaseSensitive(const cJSON *object, const char *key)
{
	for (cJSON *c = object && key ? object->child : NULL; c && c->string; c = c->next)
		if (!strcmp(c->string, key))
			return c;
	return NULL;
}

char *cJSON_GetStringValue(const cJSON *j)
{
	return TYPE(j) == cJSON_String ? j->valuestring : NULL;
}

/* --- building --- */

static cJSON *new_item(int type)
{
	cJSON *j = xcalloc(1, sizeof *j);

	j->type = type;
	return j;
}

cJSON *cJSON_CreateNull(void)
{
	return new_item(cJSON_NULL);
}

cJSON *cJSON_CreateBool(cJSON_bool v)
{
	return new_item(v ? cJSON_True : cJSON_False);
}

cJSON *cJSON_CreateNumber(double v)
{
	cJSON *j = new_item(cJSON_Number);

	(void) cJSON_SetNumberHelper(j, v);
	return j;
}

cJSON *cJSON_CreateRaw(const char *text)
{
	cJSON *j = new_item(cJSON_Raw);

	j->valuestring = xstrdup_null(text);
	return j;
}

cJSON *cJSON_CreateStringArray(const char *const *texts, int n)
{
	cJSON *j = texts && n >= 0 ? new_item(cJSON_Array) : NULL;

	for (int i = 0; i < n && j; i++)
		(void) cJSON_AddItemToArray(j, cJSON_CreateString(texts[i]));
	return j;
}

cJSON *cJSON_AddTrueToObject(cJSON *object, const char *key)
{
	return cJSON_AddBoolToObject(object, key, 1);
}

/* The caller's key, which outlives the tree. */
cJSON_bool cJSON_AddItemToObjectCS(cJSON *object, const char *key, cJSON *j)
{
	if (!object || !key || !j || object == j)
		return 0;
	if (!(j->type & cJSON_StringIsConst))
		free(j->string);
	j->type |= cJSON_StringIsConst;
	j->string = (char *) key;
	return cJSON_AddItemToArray(object, j);
}

/* What is below j stays that of its owner. */
cJSON_bool cJSON_AddItemReferenceToObject(cJSON *object, const char *key, cJSON *j)
{
	cJSON *ref;

	if (!object || !key || !j)
		return 0;
	ref = xmemdup(j, sizeof *j);
	ref->string = NULL;
	ref->type |= cJSON_IsReference;
	ref->next = ref->prev = NULL;
	return cJSON_AddItemToObject(object, key, ref);
}

/* --- changing: the first child's `prev` is the last one --- */

cJSON *cJSON_DetachItemViaPointer(cJSON *parent, cJSON *j)
{
	if (!parent || !j)
		return NULL;
	if (j != parent->child)
		j->prev->next = j->next;
	if (j->next)
		j->next->prev = j->prev;
	if (j == parent->child)
		parent->child = j->next;
	else if (!j->next)
		parent->child->prev = j->prev;
	j->next = j->prev = NULL;
	return j;
}

cJSON *cJSON_DetachItemFromObjectCaseSensitive(cJSON *object, const char *key)
{
	return cJSON_DetachItemViaPointer(object, cJSON_GetObjectItemCaseSensitive(object, key));
}

void cJSON_DeleteItemFromObjectCaseSensitive(cJSON *object, const char *key)
{
	cJSON_Delete(cJSON_DetachItemFromObjectCaseSensitive(object, key));
}

cJSON_bool cJSON_ReplaceItemViaPointer(cJSON *parent, cJSON *j, cJSON *by)
{
	if (!parent || !j || !by)
		return 0;
	if (by == j)
		return 1;
	by->next = j->next;
	by->prev = j->prev == j ? by : j->prev;
	if (by->next)
		by->next->prev = by;
	if (parent->child == j) {
		parent->child = by;
	} else {
		by->prev->next = by;
		if (!by->next)
			parent->child->prev = by;
	}
	j->next = j->prev = NULL;
	cJSON_Delete(j);
	return 1;
}

cJSON_bool cJSON_ReplaceItemInObjectCaseSensitive(cJSON *object, const char *key, cJSON *by)
{
	if (!key || !by)
		return 0;
	if (!(by->type & cJSON_StringIsConst))
		free(by->string);
	by->type &= ~cJSON_StringIsConst;
	by->string = xstrdup(key);
	return cJSON_ReplaceItemViaPointer(object, cJSON_GetObjectItemCaseSensitive(object, key), by);
}
