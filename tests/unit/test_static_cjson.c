/* cJSON for static programs makes the trees and texts of the library. */
#include "tests/unit/unit.h"

#include <cjson/cJSON.h>
#include <float.h>

#include "tests/lib/cjson_api.h"

static const struct cjson_api library = CJSON_API;

/* In the printable order of their members, names and prev pointers included. */
static void same_tree(const cJSON *a, const cJSON *b)
{
	assert_int_equal(!a, !b);
	if (!a)
		return;
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->valueint, b->valueint);
	assert_memory_equal(&a->valuedouble, &b->valuedouble, sizeof a->valuedouble);
	assert_true(str_eq(a->valuestring, b->valuestring));
	assert_true(str_eq(a->string, b->string));
	for (size_t i = 0; i < ELEMENTSOF(library.is); i++)
		assert_int_equal(!library.is[i](a), !cjson_static.is[i](b));
	assert_int_equal(library.size(a), cjson_static.size(b));
	assert_int_equal(!a->child, !b->child);
	if (a->child)
		assert_ptr_equal(b->child->prev->next, NULL);
	for (a = a->child, b = b->child; a || b; a = a->next, b = b->next)
		same_tree(a, b);
}

static void same_text(const cJSON *a, const cJSON *b)
{
	_cleanup_free_ char *want = library.print(a), *got = cjson_static.print(b);
	_cleanup_free_ char *pretty = library.print_pretty(a), *got_pretty = cjson_static.print_pretty(b);

	assert_string_equal(want, got);
	assert_string_equal(pretty, got_pretty);
}

static void same(const char *text)
{
	cJSON *a = library.parse(text, strlen(text)), *b = cjson_static.parse(text, strlen(text));
	cJSON *copy_a = library.copy(a, 1), *copy_b = cjson_static.copy(b, 1);

	if (!a)
		fail_msg("%s", text);
	same_tree(a, b);
	same_text(a, b);
	same_tree(copy_a, copy_b);
	same_text(copy_a, copy_b);
	library.done(a);
	library.done(copy_a);
	cjson_static.done(b);
	cjson_static.done(copy_b);
}

static void trees(void **state)
{
	static const char *const texts[] = {
		"{}", "[]", "[[]]", "[{}]", "{\"a\":{}}", "null", "true", "false", "\"\"", " [ 1 , 2 ] ",
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":[{\"type\":\"bridge\",\"isGateway\":true,"
		"\"ipam\":{\"ranges\":[[{\"subnet\":\"10.1.0.0/16\"}],[{\"subnet\":\"fd00::/64\"}]]}}]}",
		"{\n\t\"a\" : [ true, false, null, { \"b\" : \"c\" } ],\r\n \"\" : 0 }",
		"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0001\\u001f\\u007f\",\"\\u00e9\\u20ac\\uD83D\\uDE00\"]",
		"[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/\"]",
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		same(texts[i]);
}

static void numbers(void **state)
{
	static const char *const texts[] = {
		"0", "-0", "1", "-1", "10", "4294967295", "2147483647", "2147483648", "-2147483648", "-2147483649",
		"9007199254740991", "9007199254740993", "123456789012345", "1234567890123456789", "0.1", "-0.5",
		"0.30000000000000004", "1e3", "1E-3", "1.5e+300", "2.2250738585072014e-308", "5e-324", "1e400",
		"3.141592653589793238462643383279", "100000000000000000000", "1e15", "1e16", "0.000001", "1e-7",
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		same(texts[i]);
}

/* Any double is printed as the library does. */
static void random_numbers(void **state)
{
	uint64_t bits = 88172645463325252ull;

	(void) state;
	for (int i = 0; i < 20000; i++) {
		cJSON *a = library.object(), *b = cjson_static.object();
		double v;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&v, &bits, sizeof v);
		if (v != v)
			v = (double) (bits >> 40) / 8;
		(void) library.add_number(a, "n", v);
		(void) cjson_static.add_number(b, "n", v);
		same_tree(a, b);
		same_text(a, b);
		library.done(a);
		cjson_static.done(b);
	}
}

static cJSON *build(const struct cjson_api *api)
{
	cJSON *top = api->object(), *list = api->add_array(top, "list"), *inner = api->add_object(top, "inner");

	(void) api->add_bool(top, "yes", 1);
	(void) api->add_bool(top, "no", 0);
	(void) api->add_number(inner, "third", 1.0 / 3);
	(void) api->add_number(inner, "epsilon", DBL_EPSILON);
	(void) api->add_raw(inner, "raw", "12345678901234567890");
	(void) api->add_string(inner, "text\"\n", "\x01\x1f\x7f\\ \xc3\xa9");
	assert_true(api->to_array(list, api->string("first")));
	assert_true(api->to_array(list, api->array()));
	assert_true(api->to_array(list, api->copy(inner, 1)));
	assert_true(api->to_array(list, api->copy(inner, 0)));
	assert_true(api->to_object(top, "moved", api->copy(list, 1)));
	return top;
}

static void building(void **state)
{
	cJSON *a = build(&library), *b = build(&cjson_static);

	(void) state;
	same_tree(a, b);
	same_text(a, b);
	library.done(a);
	cjson_static.done(b);
	cjson_static.done(NULL);
	assert_null(cjson_static.copy(NULL, 1));
	assert_int_equal(cjson_static.size(NULL), 0);
	assert_int_equal(cjson_static.to_array(NULL, NULL), 0);
}

/* Cut anywhere it is refused, and nothing behind the end is read. */
static void cut(void **state)
{
	static const char text[] = "{\"a\":[1,true,null,\"\\u00e9\\n\",{\"b\":\"c\"},-1.5e3]}";

	(void) state;
	for (size_t n = 0; n < sizeof text - 1; n++) {
		_cleanup_free_ char *copy = xmemdup(text, n + !n);

		assert_null(cjson_static.parse(copy, n));
	}
}

static void refused(void **state)
{
	static const char *const texts[] = {
		"", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}",
		"\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u123g\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
		"tru", "nul", "falsy", "-", "+", ".", "[1 2]", "{\"a\":1 \"b\":2}",
	};
	char deep[2 * CJSON_NESTING_LIMIT];

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		if (cjson_static.parse(texts[i], strlen(texts[i])))
			fail_msg("%s", texts[i]);
	memset(deep, '[', sizeof deep);
	assert_null(cjson_static.parse(deep, sizeof deep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees),	  cmocka_unit_test(numbers), cmocka_unit_test(random_numbers),
		cmocka_unit_test(building), cmocka_unit_test(cut),	   cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
