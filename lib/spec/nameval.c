#include "spec/nameval.h"

#include <string.h>

#include "base/str.h"

static struct nameval *find(const struct nameval_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

const char *nameval_get(const struct nameval_list *l, const char *name)
{
	const struct nameval *nv = find(l, name);

	return nv ? nv->value : NULL;
}

static void append(struct nameval_list *l, const char *name, const char *value)
{
	l->v = xgrow(l->v, l->n, sizeof *l->v);
	l->v[l->n++] = (struct nameval) {xstrdup(name), xstrdup(value)};
}

void nameval_set(struct nameval_list *l, const char *name, const char *value)
{
	struct nameval *nv = find(l, name);
	char *copy;

	if (!nv) {
		append(l, name, value);
		return;
	}
	/* `value` may be the old one. */
	copy = xstrdup(value);
	free(nv->value);
	nv->value = copy;
}

void nameval_remove(struct nameval_list *l, const char *name)
{
	struct nameval *nv = find(l, name);

	if (!nv)
		return;
	free(nv->name);
	free(nv->value);
	memmove(nv, nv + 1, (size_t) (l->v + l->n - (nv + 1)) * sizeof *nv);
	l->n--;
}

void nameval_copy(struct nameval_list *dst, const struct nameval_list *src)
{
	*dst = (struct nameval_list) {0};
	for (size_t i = 0; i < src->n; i++)
		append(dst, src->v[i].name, src->v[i].value);
}

void nameval_done(struct nameval_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].value);
	}
	free(l->v);
	*l = (struct nameval_list) {0};
}

cJSON *nameval_encode_list(const struct nameval_list *l)
{
	cJSON *a = cJSON_CreateArray();

	for (size_t i = 0; i < l->n; i++) {
		cJSON *o = cJSON_CreateObject();

		cJSON_AddStringToObject(o, "name", l->v[i].name);
		cJSON_AddStringToObject(o, "value", l->v[i].value);
		cJSON_AddItemToArray(a, o);
	}
	return a;
}

cJSON *nameval_encode_map(const struct nameval_list *l)
{
	cJSON *o = cJSON_CreateObject();

	for (size_t i = 0; i < l->n; i++)
		cJSON_AddStringToObject(o, l->v[i].name, l->v[i].value);
	return o;
}
