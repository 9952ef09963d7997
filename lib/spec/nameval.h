/*
 * Lists of name and value: labels, annotations, environment; and string maps (user annotations).
 */
#pragma once

#include "base/json.h"

struct nameval {
	char *name, *value;
};

struct nameval_list {
	struct nameval *v;
	size_t n;
};

const char *nameval_get(const struct nameval_list *l, const char *name);
/* Replace or append (copies both). */
void nameval_set(struct nameval_list *l, const char *name, const char *value);
void nameval_remove(struct nameval_list *l, const char *name);
void nameval_copy(struct nameval_list *dst, const struct nameval_list *src);
void nameval_done(struct nameval_list *l);

/* Decode [{name, value}] with a check of the names, which must be unique. For JSON_F_CALL: */
int labels_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);      /* + "name" is forbidden, os/arch known */
int annotations_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e); /* + well-known values checked */
int environment_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);
/* {"key": "value"} */
int string_map_decode(const cJSON *j, const struct json_at *at, void *field, struct err *e);

cJSON *nameval_encode_list(const struct nameval_list *l); /* [{name, value}] */
cJSON *nameval_encode_map(const struct nameval_list *l);  /* {name: value} */
