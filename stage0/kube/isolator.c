#include "stage0/kube/internal.h"

#include <errno.h>
#include <string.h>

/* The decoder's place is in a list that nobody has written. */
static const char *without_place(const char *text)
{
	static const char place[] = "[0].value";

	if (strncmp(text, place, sizeof place - 1))
		return text;
	text += sizeof place - 1;
	return text + strspn(text, ".: ");
}

/* Through the one decoder that there is: the same rules and ranges. */
int kube_isolator(struct isolator_list *list, const char *name, cJSON *value, const struct json_at *at,
		  struct err *e)
{
	struct isolator_list one = {0};
	_cleanup_err_ struct err why = ERR_INIT;
	int r = isolators_decode_one(ISO_SCOPE_APP, name, value, JSON_TOP, &one, &why);

	if (r < 0) {
		isolators_done(&one);
		return json_err(at, e, "%s", without_place(err_text(&why)));
	}
	if (one.v[0].kind != ISO_PROBE)
		isolators_remove(list, one.v[0].kind);
	isolators_add(list, one.v[0]);
	free(one.v);
	return 0;
}

int kube_keep(const cJSON *j, const struct json_at *at _unused_, void *field, struct err *e _unused_)
{
	*(const cJSON **) field = j;
	return 0;
}

int kube_quantity(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	char text[32];
	const char *s;

	/* One of more digits than a number holds is kept as text. */
	if (cJSON_IsNumber(j) || cJSON_IsRaw(j)) {
		(void) snprintf(text, sizeof text, "%.15g", j->valuedouble);
		*(char **) field = xstrdup(text);
		return 0;
	}
	if (json_str(j, at, &s, e) < 0)
		return -EINVAL;
	*(char **) field = xstrdup(s);
	return 0;
}
