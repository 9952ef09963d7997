#include "spec/unique.h"

#include <string.h>

#include "base/str.h"

struct holder {
	const char *name;
	size_t index;
};

static int cmp_holder(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	if (r)
		return r;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* By sorting: comparing all pairs would let a manifest of 1 MiB keep us busy for seconds. */
int unique_members(const cJSON *array, const struct json_at *at, const char *key, struct err *e)
{
	size_t n = (size_t) cJSON_GetArraySize(array), i = 0;
	_cleanup_free_ struct holder *v = xcalloc(n, sizeof *v);
	const struct holder *twice = NULL;

	for (const cJSON *c = array->child; c; c = c->next, i++)
		v[i] = (struct holder) {json_get_str(c, key), i};
	qsort(v, n, sizeof *v, cmp_holder);
	for (i = 1; i < n; i++)
		if (!strcmp(v[i - 1].name, v[i].name) && (!twice || v[i].index < twice->index))
			twice = &v[i];
	if (twice) {
		struct json_at element = {.up = at, .index = twice->index};
		struct json_at here = {.up = &element, .key = key};

		return json_err(&here, e, "%s is there twice", q(twice->name));
	}
	return 0;
}
