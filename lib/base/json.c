#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_place.h"
#include "base/json_scan.h"
#include "base/str.h"

#define JSON_INT_MAX ((int64_t) 1 << 53)

static int cmp_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sorting a handful takes longer than comparing each with each. */
#define FEW_MEMBERS 8

static int check_few(const cJSON *obj, const struct json_at *at, struct err *e)
{
	for (const cJSON *a = obj->child; a; a = a->next)
		for (const cJSON *b = obj->child; b != a; b = b->next)
			if (!strcmp(a->string, b->string))
				return json_err(at, e, "duplicate member %s", q(a->string));
	return 0;
}

/* Names after unescaping, so that "a" and "\u0061" are the same. */
static int check_duplicates(const cJSON *obj, const struct json_at *at, struct err *e)
{
	size_t n = (size_t) cJSON_GetArraySize(obj), i = 0;
	_cleanup_free_ const char **keys = NULL;

	if (n <= FEW_MEMBERS)
		return check_few(obj, at, e);
	keys = xmalloc(n * sizeof *keys);
	for (const cJSON *c = obj->child; c; c = c->next)
		keys[i++] = c->string;
	qsort(keys, n, sizeof *keys, cmp_key);
	for (i = 1; i < n; i++)
		if (!strcmp(keys[i - 1], keys[i]))
			return json_err(at, e, "duplicate member %s", q(keys[i]));
	return 0;
}

/* cJSON prints 15 digits, and takes a value that differs by one in the 16th for the same. */
#define DIGITS_MAX 15

/* Digits of the mantissa, without leading zeros. */
static unsigned significant_digits(const char *p, const char *end)
{
	unsigned n = 0;

	for (; p < end && (*p | 32) != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			n += n || *p != '0';
	return n;
}

/*
 * Numbers that lose digits in a double or in print keep their text, so that what we pass on (CNI
 * configuration) is what was written.  `*num` walks the numbers of the text in document order.
 */
static void keep_text(cJSON *j, const char **num)
{
	const char *p = *num;
	char *end;

	/* Strings may hold digits: step over them as a whole. */
	while (*p && *p != '-' && !(*p >= '0' && *p <= '9')) {
		if (*p == '"')
			for (p++; *p != '"'; p++)
				p += *p == '\\';
		p++;
	}
	(void) strtod(p, &end);
	*num = end;
	if (fabs(j->valuedouble) < (double) JSON_INT_MAX && significant_digits(p, end) <= DIGITS_MAX)
		return;
	j->type = cJSON_Raw;
	/* cJSON_Delete() frees it: cJSON's allocator is malloc(3), nobody installs hooks. */
	j->valuestring = xstrndup(p, (size_t) (end - p));
}

/* Depth is bounded by the scanner. */
static int check_tree(cJSON *j, const struct json_at *at, const char **num, struct err *e)
{
	size_t i = 0;
	int r;

	if (cJSON_IsNumber(j))
		keep_text(j, num);
	if (cJSON_IsObject(j)) {
		r = check_duplicates(j, at, e);
		if (r < 0)
			return r;
	}
	if (!cJSON_IsObject(j) && !cJSON_IsArray(j))
		return 0;
	for (cJSON *c = j->child; c; c = c->next) {
		struct json_at here = {.up = at, .key = c->string, .index = i++};

		r = check_tree(c, &here, num, e);
		if (r < 0)
			return r;
	}
	return 0;
}

cJSON *json_parse(const char *text, size_t len, size_t limit, struct err *e)
{
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *copy = NULL;
	const char *num;

	if (len > limit) {
		err_set(e, EFBIG, "JSON: larger than %zu bytes", limit);
		return NULL;
	}
	if (json_scan(text, len, e) < 0)
		return NULL;
	num = copy = xstrndup(text, len);
	j = cJSON_ParseWithLength(text, len);
	if (!j) {
		err_set(e, EINVAL, "JSON: cannot be read");
		return NULL;
	}
	if (check_tree(j, JSON_TOP, &num, e) < 0)
		return NULL;
	return take_ptr(j);
}

static void add_path(const struct json_at *at, struct strbuf *sb)
{
	if (!at)
		return;
	add_path(at->up, sb);
	if (at->key) {
		_cleanup_free_ char *key = str_escape(at->key, strnlen(at->key, 64));

		strbuf_addf(sb, "%s%s", sb->len ? "." : "", key);
	} else {
		strbuf_addf(sb, "[%zu]", at->index);
	}
}

char *json_path(const struct json_at *at)
{
	struct strbuf sb = STRBUF_INIT;

	add_path(at, &sb);
	return strbuf_take(&sb);
}

static struct json_report *collecting;

void json_collect(struct json_report *report)
{
	collecting = report;
}

void json_report_done(struct json_report *report)
{
	if (collecting == report)
		collecting = NULL;
	for (size_t i = 0; i < report->n; i++) {
		free(report->v[i].path);
		free(report->v[i].text);
	}
	free(report->v);
	*report = (struct json_report) {0};
}

static void collect(const struct json_at *at, const char *path, const char *text)
{
	struct json_finding *f;

	if (!collecting || collecting->n == JSON_REPORT_MAX)
		return;
	collecting->v = xgrow(collecting->v, collecting->n, sizeof *collecting->v);
	f = &collecting->v[collecting->n++];
	*f = (struct json_finding) {.path = xstrdup(path), .text = xstrdup(text)};
	json_position(collecting->text, json_place(collecting->text, collecting->len, at), &f->line, &f->column);
}

int json_err(const struct json_at *at, struct err *e, const char *fmt, ...)
{
	_cleanup_free_ char *path = json_path(at), *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	collect(at, path, text);
	if (!*path)
		return err_set(e, EINVAL, "%s", text);
	return err_set(e, EINVAL, "%s: %s", path, text);
}

cJSON *json_get(const cJSON *obj, const char *key)
{
	if (!cJSON_IsObject(obj))
		return NULL;
	for (cJSON *c = obj->child; c; c = c->next)
		if (!strcmp(c->string, key))
			return c;
	return NULL;
}

const char *json_get_str(const cJSON *obj, const char *key)
{
	const cJSON *j = json_get(obj, key);

	return cJSON_IsString(j) ? j->valuestring : NULL;
}

int json_int(const cJSON *j, const struct json_at *at, int64_t min, int64_t max, int64_t *ret, struct err *e)
{
	int64_t v;

	if (!cJSON_IsNumber(j) && !cJSON_IsRaw(j))
		return json_err(at, e, "expected number");
	if (fabs(j->valuedouble) >= (double) JSON_INT_MAX)
		return json_err(at, e, "number out of range");
	/* A text of many digits may have lost its fraction. */
	if (j->valuedouble != trunc(j->valuedouble) || (cJSON_IsRaw(j) && strpbrk(j->valuestring, ".eE")))
		return json_err(at, e, "expected whole number");
	v = (int64_t) j->valuedouble;
	if (v < min || v > max)
		return json_err(at, e, "%lld is not within %lld..%lld", (long long) v, (long long) min,
				(long long) max);
	*ret = v;
	return 0;
}

int json_str(const cJSON *j, const struct json_at *at, const char **ret, struct err *e)
{
	if (!cJSON_IsString(j))
		return json_err(at, e, "expected string");
	*ret = j->valuestring;
	return 0;
}

int json_bool(const cJSON *j, const struct json_at *at, bool *ret, struct err *e)
{
	if (!cJSON_IsBool(j))
		return json_err(at, e, "expected true or false");
	*ret = cJSON_IsTrue(j);
	return 0;
}

int json_is_object(const cJSON *j, const struct json_at *at, struct err *e)
{
	return cJSON_IsObject(j) ? 0 : json_err(at, e, "expected object");
}

int json_is_array(const cJSON *j, const struct json_at *at, struct err *e)
{
	return cJSON_IsArray(j) ? 0 : json_err(at, e, "expected array");
}

static int decode_string(const cJSON *j, const struct json_at *at, const struct json_field *f, char **ret,
			 struct err *e)
{
	const char *s = NULL, *why;
	int r = json_str(j, at, &s, e);

	if (r < 0)
		return r;
	why = f->check ? f->check(s) : NULL;
	if (why)
		return json_err(at, e, "%s: %s", q(s), why);
	free(*ret);
	*ret = xstrdup(s);
	return 0;
}

/* Whether to stop at the error; *first is what the whole comes to. */
static bool stops(int r, int *first)
{
	if (r < 0 && *first == 0)
		*first = r;
	return r < 0 && !collecting;
}

static int decode_strv(const cJSON *j, const struct json_at *at, const struct json_field *f, char ***ret,
		       struct err *e)
{
	size_t i = 0;
	int r = json_is_array(j, at, e), first = 0;

	if (r < 0)
		return r;
	strv_free(*ret);
	*ret = NULL;
	if (!j->child)
		return 0;
	/* Room for all at once: strv_push() measures the vector each time, which a hostile list makes felt. */
	*ret = xcalloc((size_t) cJSON_GetArraySize(j) + 1, sizeof **ret);
	for (const cJSON *c = j->child; c; c = c->next) {
		struct json_at here = {.up = at, .index = i};

		r = decode_string(c, &here, f, &(*ret)[i], e);
		/* No gap: the vector ends at the first. */
		if (r < 0)
			(*ret)[i] = xstrdup("");
		i++;
		if (stops(r, &first))
			break;
	}
	return first;
}

static int decode_field(const cJSON *j, const struct json_at *at, const struct json_field *f, void *target,
			struct err *e)
{
	char *field = (char *) target + f->offset;

	switch (f->type) {
	case JSON_F_STRING:
		return decode_string(j, at, f, (char **) field, e);
	case JSON_F_STRV:
		return decode_strv(j, at, f, (char ***) field, e);
	case JSON_F_BOOL:
		return json_bool(j, at, (bool *) field, e);
	case JSON_F_I64:
		return json_int(j, at, f->min, f->max, (int64_t *) field, e);
	case JSON_F_CALL:
		return f->decode(j, at, field, e);
	case JSON_F_IGNORE:
		return 0;
	}
	return 0;
}

int json_decode(const cJSON *obj, const struct json_at *at, const struct json_field *fields, size_t n,
		enum json_unknown unknown, void *target, struct err *e)
{
	int r = json_is_object(obj, at, e), first = 0;

	if (r < 0)
		return r;
	for (const cJSON *c = obj->child; c && unknown == JSON_REFUSE_UNKNOWN; c = c->next) {
		struct json_at here = {.up = at, .key = c->string};
		size_t i = 0;

		while (i < n && strcmp(fields[i].key, c->string))
			i++;
		if (i == n && stops(json_err(&here, e, "unknown member"), &first))
			return first;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_at here = {.up = at, .key = fields[i].key};
		const cJSON *c = json_get(obj, fields[i].key);

		if (!c || cJSON_IsNull(c)) {
			if (fields[i].required &&
			    stops(json_err(&here, e, "required member is missing"), &first))
				return first;
			continue;
		}
		r = decode_field(c, &here, &fields[i], target, e);
		if (stops(r, &first))
			return first;
		if (r >= 0 && fields[i].present)
			*(bool *) ((char *) target + fields[i].present) = true;
	}
	return first;
}

int json_each(const cJSON *array, const struct json_at *at,
	      int (*fn)(const cJSON *value, const struct json_at *at, void *arg, struct err *e), void *arg,
	      struct err *e)
{
	size_t i = 0;
	int r = json_is_array(array, at, e), first = 0;

	if (r < 0)
		return r;
	for (const cJSON *c = array->child; c; c = c->next) {
		struct json_at here = {.up = at, .index = i++};

		r = fn(c, &here, arg, e);
		if (stops(r, &first))
			break;
	}
	return first;
}

void json_add_int(cJSON *obj, const char *key, int64_t v)
{
	char text[24];

	(void) snprintf(text, sizeof text, "%lld", (long long) v);
	if (!cJSON_AddRawToObject(obj, key, text))
		abort();
}

char *json_print(const cJSON *j, bool pretty)
{
	char *s = pretty ? cJSON_Print(j) : cJSON_PrintUnformatted(j);

	if (!s)
		abort();
	return s;
}
