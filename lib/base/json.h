/*
 * JSON, through one strict door.
 *
 * cJSON alone accepts duplicate keys, trailing garbage, invalid UTF-8, raw control characters and
 * cuts strings at \u0000; for documents whose digest and signature we vouch for, two readings are a
 * security fault.  json_parse() first checks the text against RFC 8259 with a scanner of our own, and
 * refuses what the checker and the user could see differently.  Only this module parses.
 *
 * Errors name the place: "line 3, column 12: ..." from the scanner, a path such as
 * "apps[1].mounts[0].volume: expected string" from the getters.
 */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define JSON_MANIFEST_MAX (1u << 20)
#define JSON_DEPTH_MAX 64

/* Where we are in a document: a list on the callers' stacks, printed only when something is wrong. */
struct json_at {
	const struct json_at *up; /* NULL at the top */
	const char *key;	  /* NULL: `index` counts */
	size_t index;
};
#define JSON_TOP ((const struct json_at *) NULL)

/* Parse the whole text (len bytes, at most `limit`). NULL with a message on failure; free with cJSON_Delete(). */
cJSON *json_parse(const char *text, size_t len, size_t limit, struct err *e);
static inline void cleanup_json(cJSON **j)
{
	cJSON_Delete(*j);
	*j = NULL;
}
#define _cleanup_json_ __attribute__((cleanup(cleanup_json)))

/*
 * Everything that is wrong with a document, each with its place, instead of the first: while a report
 * is set, decoding goes on behind an error wherever what follows does not depend on it, and still fails
 * in the end.  For a process of one thread.
 */
#define JSON_REPORT_MAX 100
struct json_report {
	struct json_finding {
		char *path, *text; /* path: "" for the whole */
		size_t line, column;
	} *v;
	size_t n;
	const char *text; /* the document, borrowed */
	size_t len;
};
void json_collect(struct json_report *report); /* NULL: as ever */
void json_report_done(struct json_report *report);
#define _cleanup_json_report_ __attribute__((cleanup(json_report_done)))

/* Error at a place: "path: text"; returns -EINVAL. */
int json_err(const struct json_at *at, struct err *e, const char *fmt, ...) _printf_(3, 4);
/* The path as text, owned by the caller: "apps[1].name"; "" at the top. */
char *json_path(const struct json_at *at);

/* Member by exact (case-sensitive) name, or NULL. */
cJSON *json_get(const cJSON *obj, const char *key);
/* The string, or NULL when absent or of another type: for documents of which we need one word. */
const char *json_get_str(const cJSON *obj, const char *key);
/* Whole numbers only, |x| < 2^53: beyond, a double no longer holds what was written. */
int json_int(const cJSON *j, const struct json_at *at, int64_t min, int64_t max, int64_t *ret, struct err *e);
int json_str(const cJSON *j, const struct json_at *at, const char **ret, struct err *e);
int json_bool(const cJSON *j, const struct json_at *at, bool *ret, struct err *e);
int json_is_object(const cJSON *j, const struct json_at *at, struct err *e);
int json_is_array(const cJSON *j, const struct json_at *at, struct err *e);

/* One row for each member that an object may have. */
struct json_field {
	const char *key;
	enum {
		JSON_F_STRING, /* char *, owned */
		JSON_F_STRV,   /* char **, an array of strings */
		JSON_F_BOOL,   /* bool */
		JSON_F_I64,    /* int64_t within min..max */
		JSON_F_CALL,   /* decode(value, field) */
		JSON_F_IGNORE, /* known, of no interest */
	} type;
	size_t offset;
	bool required;
	int64_t min, max;
	/* Checks a string (JSON_F_STRING, each of JSON_F_STRV): returns NULL or what is wrong with it. */
	const char *(*check)(const char *value);
	int (*decode)(const cJSON *value, const struct json_at *at, void *field, struct err *e);
	size_t present; /* offset of a bool set when the member is there; 0: none */
};

enum json_unknown { JSON_REFUSE_UNKNOWN, JSON_ALLOW_UNKNOWN };

/* Decode an object by its table into `target`. A null member counts as absent. The first violation is the error. */
int json_decode(const cJSON *obj, const struct json_at *at, const struct json_field *fields, size_t n,
		enum json_unknown unknown, void *target, struct err *e);
/* Call fn for each element of an array; stops at the first error. */
int json_each(const cJSON *array, const struct json_at *at,
	      int (*fn)(const cJSON *value, const struct json_at *at, void *arg, struct err *e), void *arg,
	      struct err *e);

/* Add an integer with all its digits: cJSON's own numbers are printed with 15 (times in nanoseconds have 19). */
void json_add_int(cJSON *obj, const char *key, int64_t v);
/* The document as text, owned by the caller; tab-indented when pretty, no line feed at the end. */
char *json_print(const cJSON *j, bool pretty);
