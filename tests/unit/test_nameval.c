#include "tests/unit/unit.h"

#include "spec/nameval.h"

typedef int (*decode_fn)(const cJSON *j, const struct json_at *at, void *field, struct err *e);

struct row {
	decode_fn decode;
	const char *json, *error; /* NULL: fine */
};

static int decode(decode_fn fn, const char *text, struct nameval_list *l, struct err *e)
{
	_cleanup_json_ cJSON *j = json_parse(text, strlen(text), JSON_MANIFEST_MAX, e);
	struct json_at at = {.key = "list"};

	assert_non_null(j);
	return fn(j, &at, l, e);
}

static void test_rules(void **state _unused_)
{
#define NV(n, v) "{\"name\":\"" n "\",\"value\":\"" v "\"}"
	static const struct row rows[] = {
		{labels_decode, "[]", NULL},
		{labels_decode, "[" NV("version", "1.0") "," NV("os", "linux") "," NV("arch", "s390x") "]", NULL},
		{labels_decode, "[" NV("os", "freebsd") "," NV("arch", "arm") "]", NULL},
		{labels_decode, "[" NV("os", "darwin") "]", NULL},
		/* Without os, arch has no meaning. */
		{labels_decode, "[" NV("arch", "z80") "]", NULL},
		{labels_decode, "{}", "list: expected array"},
		{labels_decode, "[3]", "list[0]: expected object"},
		{labels_decode, "[{\"value\":\"\"}]", "list[0].name: required member is missing"},
		{labels_decode, "[{\"name\":\"a\"}]", "list[0].value: required member is missing"},
		{labels_decode, "[{\"name\":\"a\",\"value\":null}]", "list[0].value: required member is missing"},
		{labels_decode, "[{\"name\":\"a\",\"value\":1}]", "list[0].value: expected string"},
		{labels_decode, "[{\"name\":\"a\",\"value\":\"\",\"x\":1}]", "list[0].x: unknown member"},
		{labels_decode, "[{\"Name\":\"a\",\"value\":\"\"}]", "list[0].Name: unknown member"},
		{labels_decode, "[" NV("A", "") "]", "list[0].name: \"A\": upper case is not allowed"},
		{labels_decode, "[" NV("name", "") "]", "list[0].name: \"name\": not allowed as a label"},
		{labels_decode, "[" NV("a", "1") "," NV("b", "2") "," NV("a", "3") "]",
		 "list[2].name: \"a\" is there twice"},
		{labels_decode, "[" NV("b", "") "," NV("a", "") "," NV("b", "") "," NV("a", "") "]",
		 "list[2].name: \"b\" is there twice"},
		{labels_decode, "[" NV("v", "1") "," NV("os", "plan9") "]", "list[1].value: bad os \"plan9\""},
		{labels_decode, "[" NV("arch", "z80") "," NV("os", "linux") "]",
		 "list[0].value: bad arch \"z80\" for os \"linux\""},
		{labels_decode, "[" NV("os", "darwin") "," NV("arch", "amd64") "]",
		 "list[1].value: bad arch \"amd64\" for os \"darwin\""},
		{environment_decode, "[" NV("PATH", "/bin") "," NV("path", "") "]", NULL},
		{environment_decode, "[" NV("FOO", "1") "," NV("FOO", "2") "]", "list[1].name: \"FOO\" is there twice"},
		{environment_decode, "[" NV("A=B", "") "]",
		 "list[0].name: \"A=B\": has a character that is not allowed"},
		{environment_decode, "[" NV("", "") "]", "list[0].name: \"\": must not be empty"},
		{annotations_decode, "[" NV("authors", "Anybody, <of> whom") "]", NULL},
		{annotations_decode, "[" NV("created", "2014-10-27T19:32:27.67021798Z") "]", NULL},
		{annotations_decode, "[" NV("created", "2016-02-29T23:59:60+01:30") "]", NULL},
		{annotations_decode, "[" NV("homepage", "https://example.com") "]", NULL},
		{annotations_decode, "[" NV("documentation", "http://example.com/a?b#c") "]", NULL},
		{annotations_decode, "[" NV("appc.io/executor/supports-systemd-notify", "true") "]", NULL},
		{annotations_decode, "[" NV("appc.io/executor/supports-systemd-notify", "yes") "]",
		 "list[0].value: \"yes\": neither \"true\" nor \"false\""},
		{annotations_decode, "[" NV("homepage", "ftp://example.com") "]",
		 "list[0].value: \"ftp://example.com\": not an http or https URL"},
		{annotations_decode, "[" NV("homepage", "http://") "]",
		 "list[0].value: \"http://\": not an http or https URL"},
		{annotations_decode, "[" NV("documentation", "https:///a") "]",
		 "list[0].value: \"https:///a\": not an http or https URL"},
		{annotations_decode, "[" NV("documentation", "https://a/<b>") "]",
		 "list[0].value: \"https://a/<b>\": not an http or https URL"},
		{annotations_decode, "[" NV("a b", "") "]",
		 "list[0].name: \"a b\": has a character that is not allowed"},
		{annotations_decode, "[" NV("a", "") "," NV("a", "") "]", "list[1].name: \"a\" is there twice"},
		{string_map_decode, "{\"any key\":\"any value\",\"\":\"\"}", NULL},
		{string_map_decode, "[]", "list: expected object"},
		{string_map_decode, "{\"a\":\"b\",\"c\":1}", "list.c: expected string"},
		{string_map_decode, "{\"a\":null}", "list.a: expected string"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct nameval_list l = {0};
		int r = decode(rows[i].decode, rows[i].json, &l, &e);

		assert_string_equal(r < 0 ? err_text(&e) : "fine", rows[i].error ? rows[i].error : "fine");
		assert_int_equal(r, rows[i].error ? -EINVAL : 0);
		nameval_done(&l);
	}
}

static void test_dates(void **state _unused_)
{
	static const char *const good[] = {
		"2000-02-29T00:00:00Z", "2014-10-27t19:32:27z", "2014-10-27T19:32:27-23:59", "0000-01-01T00:00:00.0Z",
	};
	static const char *const bad[] = {
		"", "2014-10-27", "2014-10-27 19:32:27Z", "2014-10-27T19:32:27", "2014-13-01T00:00:00Z",
		"2014-00-01T00:00:00Z", "2014-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2014-04-31T00:00:00Z",
		"2014-10-00T00:00:00Z", "2014-10-27T24:00:00Z", "2014-10-27T19:60:00Z", "2014-10-27T19:32:61Z",
		"2014-10-27T19:32:27.Z", "2014-10-27T19:32:27ZZ", "2014-10-27T19:32:27+0100",
		"2014-10-27T19:32:27+24:00", "2014-10-27T19:32:27+01:60", "2014-10-27T19:32:27+01:00:00",
		"2014/10/27T19:32:27Z", "x014-10-27T19:32:27Z", "2014-10-27T19:32:27.1",
	};

	for (size_t i = 0; i < ELEMENTSOF(good) + ELEMENTSOF(bad); i++) {
		bool is_good = i < ELEMENTSOF(good);
		const char *date = is_good ? good[i] : bad[i - ELEMENTSOF(good)];
		_cleanup_free_ char *json = xasprintf("[{\"name\":\"created\",\"value\":\"%s\"}]", date);
		_cleanup_free_ char *why =
			xasprintf("list[0].value: \"%s\": not a date and time as of RFC 3339", date);
		_cleanup_err_ struct err e = ERR_INIT;
		struct nameval_list l = {0};

		assert_int_equal(decode(annotations_decode, json, &l, &e), is_good ? 0 : -EINVAL);
		if (!is_good)
			assert_string_equal(err_text(&e), why);
		nameval_done(&l);
	}
}

static void test_list(void **state _unused_)
{
	struct nameval_list l = {0}, copy;
	char name[16];

	for (int i = 0; i < 100; i++) {
		(void) snprintf(name, sizeof name, "n%d", i);
		nameval_set(&l, name, "x");
	}
	nameval_set(&l, "n50", "y");
	nameval_set(&l, "n50", nameval_get(&l, "n50"));
	assert_int_equal(l.n, 100);
	assert_string_equal(nameval_get(&l, "n50"), "y");
	assert_null(nameval_get(&l, "N50"));
	nameval_copy(&copy, &l);
	for (int i = 0; i < 99; i++) {
		(void) snprintf(name, sizeof name, "n%d", i);
		nameval_remove(&l, name);
	}
	nameval_remove(&l, "nothing");
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].name, "n99");
	nameval_set(&l, "again", "z");
	nameval_set(&l, "and again", "z");
	assert_int_equal(l.n, 3);
	assert_int_equal(copy.n, 100);
	nameval_done(&l);
	nameval_done(&copy);
	nameval_done(&copy);
}

static void round_trip(decode_fn fn, cJSON *(*encode)(const struct nameval_list *l), const char *text)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct nameval_list l = {0};
	_cleanup_json_ cJSON *j = NULL;
	_cleanup_free_ char *printed = NULL;

	assert_int_equal(decode(fn, text, &l, &e), 0);
	j = encode(&l);
	printed = json_print(j, false);
	assert_string_equal(printed, text);
	nameval_done(&l);
}

static void test_round_trip(void **state _unused_)
{
	round_trip(labels_decode, nameval_encode_list, "[" NV("version", "1") "," NV("os", "linux") "]");
	round_trip(environment_decode, nameval_encode_list, "[" NV("A", "\\\"\\\\\\n\xc3\xa4") "]");
	round_trip(annotations_decode, nameval_encode_list, "[]");
	round_trip(string_map_decode, nameval_encode_map, "{\"k\":\"v\",\"\":\"\",\"\\t\":\"x\"}");
}

/* The longest list that fits: sorting, not comparing all pairs. */
static void test_wide(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct nameval_list l = {0};
	unsigned n = 0;

	strbuf_addc(&sb, '[');
	for (; sb.len < JSON_MANIFEST_MAX - 64; n++)
		strbuf_addf(&sb, "%s{\"name\":\"a%u\",\"value\":\"\"}", n ? "," : "", n);
	strbuf_adds(&sb, ",{\"name\":\"a7\",\"value\":\"\"}]");
	assert_int_equal(decode(environment_decode, sb.buf, &l, &e), -EINVAL);
	_cleanup_free_ char *why = xasprintf("list[%u].name: \"a7\" is there twice", n);
	assert_string_equal(err_text(&e), why);
	nameval_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),	   cmocka_unit_test(test_dates), cmocka_unit_test(test_list),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
