/* Reading name-value lists out of JSON, with the rules of each kind. */
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "spec/ac_name.h"
#include "spec/nameval.h"
#include "spec/unique.h"
#include "spec/well_known.h"

/* What is special about one kind of list. */
struct kind {
	struct json_field fields[2];
	/* More rules for one element, or NULL. */
	int (*check)(const struct nameval *nv, const struct json_at *at, struct err *e);
};

struct decoding {
	const struct kind *kind;
	struct nameval_list *list;
};

#define FIELDS(name_check)                                                                         \
	{                                                                                          \
		{.key = "name",                                                                    \
		 .type = JSON_F_STRING,                                                            \
		 .offset = offsetof(struct nameval, name),                                         \
		 .required = true,                                                                 \
		 .check = name_check},                                                             \
		{.key = "value",                                                                   \
		 .type = JSON_F_STRING,                                                            \
		 .offset = offsetof(struct nameval, value),                                        \
		 .required = true},                                                                \
	}

static int decode_element(const cJSON *j, const struct json_at *at, void *arg, struct err *e)
{
	struct decoding *d = arg;
	struct nameval_list *l = d->list;
	struct nameval *nv;
	int r;

	l->v = xgrow(l->v, l->n, sizeof *l->v);
	nv = &l->v[l->n++];
	*nv = (struct nameval) {0};
	r = json_decode(j, at, d->kind->fields, ELEMENTSOF(d->kind->fields), JSON_REFUSE_UNKNOWN, nv, e);
	if (r < 0)
		return r;
	return d->kind->check ? d->kind->check(nv, at, e) : 0;
}

static int decode_list(const cJSON *j, const struct json_at *at, const struct kind *kind, void *field, struct err *e)
{
	struct decoding d = {.kind = kind, .list = field};
	int r = json_each(j, at, decode_element, &d, e);

	return r < 0 ? r : unique_members(j, at, "name", e);
}

static const char *check_label_name(const char *s)
{
	/* Discovery templates know {name}: a label of that name would be ambiguous. */
	return strcmp(s, "name") ? ac_identifier_check(s) : "not allowed as a label";
}

/* The place of a value in a list: "labels[2].value". */
static int value_err(const cJSON *j, const struct json_at *at, const char *name, struct err *e, const char *text)
{
	size_t i = 0;

	for (const cJSON *c = j->child; c; c = c->next, i++) {
		struct json_at element = {.up = at, .index = i};
		struct json_at here = {.up = &element, .key = "value"};

		if (str_eq(json_get_str(c, "name"), name))
			return json_err(&here, e, "%s", text);
	}
	return json_err(at, e, "%s", text);
}

/* arch has a meaning only together with os (appc "image manifest", labels). */
static int check_os_arch(const cJSON *j, const struct json_at *at, const struct nameval_list *l, struct err *e)
{
	const char *os = nameval_get(l, "os"), *arch = nameval_get(l, "arch");
	const char *const *arches;
	_cleanup_free_ char *text = NULL;

	if (!os)
		return 0;
	arches = well_known_arches(os);
	if (!arches) {
		text = xasprintf("bad os %s", q(os));
		return value_err(j, at, "os", e, text);
	}
	while (arch && *arches && strcmp(*arches, arch))
		arches++;
	if (arch && !*arches) {
		text = xasprintf("bad arch %s for os %s", q(arch), q(os));
		return value_err(j, at, "arch", e, text);
	}
	return 0;
}

int labels_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct kind labels = {FIELDS(check_label_name), NULL};
	int r = decode_list(j, at, &labels, field, e);

	return r < 0 ? r : check_os_arch(j, at, field, e);
}

static int check_annotation(const struct nameval *nv, const struct json_at *at, struct err *e)
{
	const char *why = well_known_annotation_check(nv->name, nv->value);
	struct json_at here = {.up = at, .key = "value"};

	return why ? json_err(&here, e, "%s: %s", q(nv->value), why) : 0;
}

int annotations_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct kind annotations = {FIELDS(ac_identifier_check), check_annotation};

	return decode_list(j, at, &annotations, field, e);
}

int environment_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct kind environment = {FIELDS(ac_env_name_check), NULL};

	return decode_list(j, at, &environment, field, e);
}

int string_map_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	struct nameval_list *l = field;
	int r = json_is_object(j, at, e);

	if (r < 0)
		return r;
	for (const cJSON *c = j->child; c; c = c->next) {
		struct json_at here = {.up = at, .key = c->string};
		const char *value;

		r = json_str(c, &here, &value, e);
		if (r < 0)
			return r;
		l->v = xgrow(l->v, l->n, sizeof *l->v);
		l->v[l->n++] = (struct nameval) {xstrdup(c->string), xstrdup(value)};
	}
	return 0;
}
