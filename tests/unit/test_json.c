#include "tests/unit/unit.h"

#include "base/json.h"


static cJSON *parse(const char *text, size_t len, struct err *e)
{
	/* An exact copy, so that the sanitizer sees a read behind the end. */
	_cleanup_free_ char *exact = xmemdup(text, len);

	return json_parse(exact, len, JSON_MANIFEST_MAX, e);
}

struct row {
	const char *text, *error; /* NULL: fine */
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_json_ cJSON *j = parse(rows[i].text, strlen(rows[i].text), &e);

		assert_string_equal(j ? "fine" : err_text(&e), rows[i].error ? rows[i].error : "fine");
	}
}

static void test_grammar(void **state _unused_)
{
	static const struct row rows[] = {
		{"{}", NULL}, {"[]", NULL}, {"0", NULL}, {"-0.5e+3", NULL}, {"\"\"", NULL}, {"true", NULL},
		{"null", NULL}, {" \t\r\n[ 1 , { \"a\" : [ ] } ] \n", NULL}, {"[[],{},[{}]]", NULL},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\"", NULL}, {"\"\x7f\xc3\xa4\"", NULL},
		{"", "JSON: line 1, column 1: value expected"},
		{" \n ", "JSON: line 2, column 2: value expected"},
		{"\xef\xbb\xbf{}", "JSON: line 1, column 1: value expected"},
		{"{} {}", "JSON: line 1, column 4: text after the document"},
		{"1 1", "JSON: line 1, column 3: text after the document"},
		{"nulll", "JSON: line 1, column 5: text after the document"},
		{"True", "JSON: line 1, column 1: value expected"},
		{"NaN", "JSON: line 1, column 1: value expected"},
		{"-Infinity", "JSON: line 1, column 2: digit expected"},
		{"'a'", "JSON: line 1, column 1: value expected"},
		{"[1,]", "JSON: line 1, column 4: value expected"},
		{"[,1]", "JSON: line 1, column 2: value expected"},
		{"[1 2]", "JSON: line 1, column 4: comma or ] expected"},
		{"[1}", "JSON: line 1, column 3: comma or ] expected"},
		{"{\"a\":1]", "JSON: line 1, column 7: comma or } expected"},
		{"{\"a\":1,}", "JSON: line 1, column 8: member name expected"},
		{"{a:1}", "JSON: line 1, column 2: member name expected"},
		{"{\"a\" 1}", "JSON: line 1, column 6: colon expected"},
		{"{\"a\":}", "JSON: line 1, column 6: value expected"},
		{"{\"a\"", "JSON: line 1, column 5: colon expected"},
		{"{", "JSON: line 1, column 2: member name expected"},
		{"[1", "JSON: line 1, column 3: document is not complete"},
		{"[/* */]", "JSON: line 1, column 2: value expected"},
		{"[1]\f", "JSON: line 1, column 4: text after the document"},
		{"[\v1]", "JSON: line 1, column 2: value expected"},
		{"\xa0", "JSON: line 1, column 1: not valid UTF-8"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static void test_strings(void **state _unused_)
{
	static const struct row rows[] = {
		{"\"a", "JSON: line 1, column 3: string is not closed"},
		{"\"\\\"", "JSON: line 1, column 4: string is not closed"},
		{"\"\\", "JSON: line 1, column 3: string is not closed"},
		{"\"a\nb\"", "JSON: line 2, column 1: control character in string"},
		{"\"\x1f\"", "JSON: line 1, column 3: control character in string"},
		{"\"\\x41\"", "JSON: line 1, column 4: bad escape in string"},
		{"\"\\'\"", "JSON: line 1, column 4: bad escape in string"},
		{"\"\\u0000\"", "JSON: line 1, column 8: NUL character in string"},
		{"\"a\\u0000b\"", "JSON: line 1, column 9: NUL character in string"},
		{"{\"a\\u0000\":1}", "JSON: line 1, column 10: NUL character in string"},
		/* An escaped backslash, and then text. */
		{"\"\\\\u0000\"", NULL},
		{"\"\\u12\"", "JSON: line 1, column 4: truncated \\u escape"},
		{"\"\\u12\",1", "JSON: line 1, column 7: bad \\u escape"},
		{"\"\\u12", "JSON: line 1, column 4: truncated \\u escape"},
		{"\"\\u12g4\"", "JSON: line 1, column 7: bad \\u escape"},
		{"\"\\ud800\"", "JSON: line 1, column 8: lone surrogate in string"},
		{"\"\\ud800x\"", "JSON: line 1, column 8: lone surrogate in string"},
		{"\"\\udc00\"", "JSON: line 1, column 8: lone surrogate in string"},
		{"\"\\ud800\\ud800\"", "JSON: line 1, column 14: lone surrogate in string"},
		{"\"\\ud800\\u0041\"", "JSON: line 1, column 14: lone surrogate in string"},
		{"\"\xed\xa0\x80\"", "JSON: line 1, column 2: not valid UTF-8"},
		{"\"\xc0\x80\"", "JSON: line 1, column 2: not valid UTF-8"},
		{"\"\xff\"", "JSON: line 1, column 2: not valid UTF-8"},
		{"\"\xc3\"", "JSON: line 1, column 2: not valid UTF-8"},
	};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *j = NULL;

	check_rows(rows, ELEMENTSOF(rows));
	assert_null(parse("\"a\0b\"", 5, &e));
	assert_err(&e, "JSON: line 1, column 4: control character in string");
	assert_null(parse("[1]\0", 4, &e));
	assert_err(&e, "JSON: line 1, column 4: text after the document");
	j = parse("\"\\ud83d\\ude00\\\\u0000\"", 21, &e);
	assert_string_equal(j->valuestring, "\xf0\x9f\x98\x80\\u0000");
}

static void test_duplicates(void **state _unused_)
{
	static const struct row rows[] = {
		{"{\"a\":1,\"b\":2,\"A\":3}", NULL},
		{"{\"a\":1,\"a\":1}", "duplicate member \"a\""},
		{"{\"a\":1,\"b\":2,\"\\u0061\":3}", "duplicate member \"a\""},
		{"{\"\\u00e4\":1,\"\xc3\xa4\":2}", "duplicate member \"\xc3\xa4\""},
		{"{\"/\":1,\"\\/\":2}", "duplicate member \"/\""},
		{"{\"\":1,\"\":2}", "duplicate member \"\""},
		{"{\"a\":[{\"b\":{\"c\":1,\"c\":2}}]}", "a[0].b: duplicate member \"c\""},
		{"[{\"a\":1},{\"a\":1}]", NULL},
		{"[0,{\"a\":{},\"a\":{}}]", "[1]: duplicate member \"a\""},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static char *nested(int depth, char open, const char *middle, char close)
{
	struct strbuf sb = STRBUF_INIT;

	for (int i = 0; i < depth; i++)
		strbuf_addf(&sb, open == '{' ? "{\"a\":" : "[");
	strbuf_adds(&sb, middle);
	for (int i = 0; i < depth; i++)
		strbuf_addc(&sb, close);
	return strbuf_take(&sb);
}

static void test_depth(void **state _unused_)
{
	_cleanup_free_ char *deep = nested(JSON_DEPTH_MAX, '[', "1", ']');
	_cleanup_free_ char *deeper = nested(JSON_DEPTH_MAX + 1, '[', "1", ']');
	_cleanup_free_ char *objects = nested(JSON_DEPTH_MAX, '{', "{}", '}');
	_cleanup_free_ char *endless = nested(500000, '[', "", ']');
	const struct row rows[] = {
		{deep, NULL},
		{deeper, "JSON: line 1, column 65: nested too deeply"},
		{objects, "JSON: line 1, column 321: nested too deeply"},
		{endless, "JSON: line 1, column 65: nested too deeply"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static void test_limit(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *j = json_parse("[1]", 3, 3, &e);

	assert_non_null(j);
	assert_null(json_parse("[1] ", 4, 3, &e));
	assert_int_equal(e.code, EFBIG);
	assert_err(&e, "JSON: larger than 3 bytes");
}

/* What goes in comes out, digit by digit, also where a double cannot hold it. */
static void test_numbers_as_text(void **state _unused_)
{
	static const char *const docs[] = {
		"[9007199254740991,-9007199254740991]",
		"[9007199254740993]",
		"{\"a\":18446744073709551615,\"12\":[\"34\\\"56\",-9223372036854775808,{\"b\":7}],\"c\":1e+400}",
		"[1e999,-1E999,\"1\",123456789012345678901234567890]",
		"[0,0.5,-1]",
		"[1234567890123456,0.1234567890123456789,-1000000000000000001e-5]",
	};
	static const struct row rows[] = {
		{"[01]", "JSON: line 1, column 3: comma or ] expected"},
		{"[-]", "JSON: line 1, column 3: digit expected"},
		{"[+1]", "JSON: line 1, column 2: value expected"},
		{"[.5]", "JSON: line 1, column 2: value expected"},
		{"[1.]", "JSON: line 1, column 4: digit expected"},
		{"[1e]", "JSON: line 1, column 4: digit expected"},
		{"[1e+]", "JSON: line 1, column 5: digit expected"},
		{"[0x1]", "JSON: line 1, column 3: comma or ] expected"},
		{"123456789012345678901234567890123456789012345678901234567890", NULL},
		{"1234567890123456789012345678901234567890123456789012345678901",
		 "JSON: line 1, column 62: number has too many digits"},
	};

	for (size_t i = 0; i < ELEMENTSOF(docs); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_json_ cJSON *j = parse(docs[i], strlen(docs[i]), &e);
		_cleanup_free_ char *text = NULL;

		assert_non_null(j);
		text = json_print(j, false);
		assert_string_equal(text, docs[i]);
	}
	check_rows(rows, ELEMENTSOF(rows));
}

static void test_add_int(void **state _unused_)
{
	_cleanup_json_ cJSON *j = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;

	json_add_int(j, "a", 1764000000123456789);
	json_add_int(j, "b", INT64_MIN);
	text = json_print(j, false);
	assert_string_equal(text, "{\"a\":1764000000123456789,\"b\":-9223372036854775808}");
}

static void test_ints(void **state _unused_)
{
	static const struct {
		const char *text, *error;
		int64_t v;
	} rows[] = {
		{"9007199254740991", NULL, 9007199254740991}, {"-9007199254740991", NULL, -9007199254740991},
		{"1e3", NULL, 1000}, {"-0", NULL, 0}, {"5.0", NULL, 5},
		{"9007199254740992", "a[3]: number out of range", 0}, {"1e400", "a[3]: number out of range", 0},
		{"-9007199254740993", "a[3]: number out of range", 0}, {"0.1", "a[3]: expected whole number", 0},
		{"4503599627370497", NULL, 4503599627370497},
		{"4503599627370496.00000001", "a[3]: expected whole number", 0},
		{"1e-3", "a[3]: expected whole number", 0}, {"\"1\"", "a[3]: expected number", 0},
		{"true", "a[3]: expected number", 0}, {"null", "a[3]: expected number", 0},
	};
	struct json_at a = {.key = "a"}, at = {.up = &a, .index = 3};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_json_ cJSON *j = parse(rows[i].text, strlen(rows[i].text), &e);
		int64_t v = 77;
		int r = json_int(j, &at, INT64_MIN, INT64_MAX, &v, &e);

		assert_string_equal(r < 0 ? err_text(&e) : "fine", rows[i].error ? rows[i].error : "fine");
		assert_true(v == (r < 0 ? 77 : rows[i].v));
	}
}

struct inner {
	int64_t n;
};

struct outer {
	char *s, *t;
	char **v;
	bool b, has_n;
	int64_t n;
	struct inner in;
};

static const char *no_x(const char *s)
{
	return strchr(s, 'x') ? "has an x" : NULL;
}

static int decode_inner(const cJSON *j, const struct json_at *at, void *field, struct err *e)
{
	static const struct json_field fields[] = {
		{.key = "n", .type = JSON_F_I64, .offset = offsetof(struct inner, n), .required = true, .max = 9},
	};

	return json_decode(j, at, fields, ELEMENTSOF(fields), JSON_ALLOW_UNKNOWN, field, e);
}

static const struct json_field outer_fields[] = {
	{.key = "s", .type = JSON_F_STRING, .offset = offsetof(struct outer, s), .required = true, .check = no_x},
	{.key = "t", .type = JSON_F_STRING, .offset = offsetof(struct outer, t)},
	{.key = "v", .type = JSON_F_STRV, .offset = offsetof(struct outer, v), .check = no_x},
	{.key = "b", .type = JSON_F_BOOL, .offset = offsetof(struct outer, b)},
	{.key = "n",
	 .type = JSON_F_I64,
	 .offset = offsetof(struct outer, n),
	 .min = -5,
	 .max = 5,
	 .present = offsetof(struct outer, has_n)},
	{.key = "in", .type = JSON_F_CALL, .offset = offsetof(struct outer, in), .decode = decode_inner},
	{.key = "any", .type = JSON_F_IGNORE},
};

static void outer_done(struct outer *o)
{
	free(o->s);
	free(o->t);
	strv_free(o->v);
}

static void test_decode(void **state _unused_)
{
	static const struct row rows[] = {
		{"{\"s\":\"\",\"any\":[1,{}],\"in\":{\"n\":9,\"other\":1}}", NULL},
		{"[]", "expected object"},
		{"{}", "s: required member is missing"},
		{"{\"s\":null}", "s: required member is missing"},
		{"{\"S\":\"a\",\"s\":\"a\"}", "S: unknown member"},
		{"{\"s\":1}", "s: expected string"},
		{"{\"s\":\"ax\"}", "s: \"ax\": has an x"},
		{"{\"s\":\"a\",\"v\":{}}", "v: expected array"},
		{"{\"s\":\"a\",\"v\":[\"a\",null]}", "v[1]: expected string"},
		{"{\"s\":\"a\",\"v\":[\"a\",\"b\",\"x\"]}", "v[2]: \"x\": has an x"},
		{"{\"s\":\"a\",\"b\":0}", "b: expected true or false"},
		{"{\"s\":\"a\",\"n\":6}", "n: 6 is not within -5..5"},
		{"{\"s\":\"a\",\"n\":-6}", "n: -6 is not within -5..5"},
		{"{\"s\":\"a\",\"in\":{\"n\":10}}", "in.n: 10 is not within 0..9"},
		{"{\"s\":\"a\",\"in\":{}}", "in.n: required member is missing"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_json_ cJSON *j = parse(rows[i].text, strlen(rows[i].text), &e);
		struct outer o = {0};
		int r = json_decode(j, JSON_TOP, outer_fields, ELEMENTSOF(outer_fields), JSON_REFUSE_UNKNOWN, &o, &e);

		assert_string_equal(r < 0 ? err_text(&e) : "fine", rows[i].error ? rows[i].error : "fine");
		outer_done(&o);
	}
}

static void test_decode_values(void **state _unused_)
{
	static const char text[] = "{\"s\":\"S\",\"t\":null,\"v\":[\"1\",\"2\"],\"b\":true,\"n\":-5,\"in\":{\"n\":1},\"q\":1}";
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *j = parse(text, strlen(text), &e);
	struct outer o = {0};

	assert_int_equal(json_decode(j, JSON_TOP, outer_fields, ELEMENTSOF(outer_fields), JSON_ALLOW_UNKNOWN, &o, &e), 0);
	assert_string_equal(o.s, "S");
	assert_null(o.t);
	assert_int_equal(strv_len(o.v), 2);
	assert_true(o.b && o.has_n && o.n == -5 && o.in.n == 1);
	outer_done(&o);
}

static int count_element(const cJSON *value, const struct json_at *at, void *arg, struct err *e)
{
	int *n = arg;

	if (cJSON_IsNull(value))
		return json_err(at, e, "stop");
	*n += 1;
	return 0;
}

static void test_each_and_get(void **state _unused_)
{
	static const char text[] = "{\"a\":[1,2,null,4],\"Key\":\"v\",\"n\":1}";
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *j = parse(text, strlen(text), &e);
	struct json_at at = {.key = "a"};
	int n = 0;

	assert_int_equal(json_each(json_get(j, "a"), &at, count_element, &n, &e), -EINVAL);
	assert_int_equal(n, 2);
	assert_err(&e, "a[2]: stop");
	assert_int_equal(json_each(j, &at, count_element, &n, &e), -EINVAL);
	assert_err(&e, "a: expected array");
	assert_null(json_get(j, "key"));
	assert_null(json_get(json_get(j, "a"), "x"));
	assert_null(json_get(NULL, "x"));
	assert_string_equal(json_get_str(j, "Key"), "v");
	assert_null(json_get_str(j, "n"));
}

static void test_path(void **state _unused_)
{
	struct json_at a = {.key = "apps"}, b = {.up = &a, .index = 1}, c = {.up = &b, .key = "mounts"},
		       d = {.up = &c, .index = 0}, f = {.up = &d, .key = "vol\nume"};
	_cleanup_free_ char *path = json_path(&f), *top = json_path(JSON_TOP);

	assert_string_equal(path, "apps[1].mounts[0].vol\\nume");
	assert_string_equal(top, "");
}

/* Wide documents: sorting and counting, no quadratic loops (the time limit of the suite is the check). */
static void test_wide(void **state _unused_)
{
	static const struct json_field field = {.key = "v", .type = JSON_F_STRV, .offset = 0};
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *j = NULL, *k = NULL;
	_cleanup_strv_ char **v = NULL;

	strbuf_adds(&sb, "{\"v\":[\"\"");
	while (sb.len < JSON_MANIFEST_MAX - 10)
		strbuf_adds(&sb, ",\"\"");
	strbuf_adds(&sb, "]}");
	j = parse(sb.buf, sb.len, &e);
	assert_non_null(j);
	assert_int_equal(json_decode(j, JSON_TOP, &field, 1, JSON_REFUSE_UNKNOWN, &v, &e), 0);
	assert_true(strv_len(v) > 300000);
	sb.len = 0;
	strbuf_addc(&sb, '{');
	for (unsigned i = 0; sb.len < JSON_MANIFEST_MAX - 30; i++)
		strbuf_addf(&sb, "%s\"%u\":1", i ? "," : "", i);
	strbuf_adds(&sb, ",\"5\":1}");
	k = parse(sb.buf, sb.len, &e);
	assert_null(k);
	assert_err(&e, "duplicate member \"5\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_duplicates),	cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limit),		cmocka_unit_test(test_numbers_as_text),
		cmocka_unit_test(test_add_int),		cmocka_unit_test(test_ints),	cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_values),	cmocka_unit_test(test_each_and_get),
		cmocka_unit_test(test_path),		cmocka_unit_test(test_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
