#include "tests/unit/unit.h"

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "base/json.h"
#include "stage0/oci/registry.h"

#define DIGEST "sha256:0123456789012345678901234567890123456789012345678901234567890123"
#define ENTRY(media) "{\"mediaType\":\"" media "\",\"digest\":\"" DIGEST "\",\"size\":1}"
#define PAGE(entries, more) "{\"schemaVersion\":2,\"manifests\":[" entries "]" more "}"

static int add(cJSON **all, const char *text, struct err *e)
{
	return registry_referrers_add(all, text, strlen(text), e);
}

static void test_pages(void **state _unused_)
{
	_cleanup_json_ cJSON *all = NULL;
	_cleanup_free_ char *text = NULL;

	assert_int_equal(add(&all, PAGE(ENTRY("a/b"), ",\"x\":1"), NULL), 0);
	assert_int_equal(add(&all, PAGE(ENTRY("a/c") "," ENTRY("a/d"), ",\"x\":2"), NULL), 0);
	assert_int_equal(add(&all, PAGE("", ""), NULL), 0);
	text = json_print(all, false);
	assert_string_equal(text, PAGE(ENTRY("a/b") "," ENTRY("a/c") "," ENTRY("a/d"), ",\"x\":1"));
}

static void test_bad(void **state _unused_)
{
	_cleanup_json_ cJSON *all = NULL;
	_cleanup_err_ struct err e = ERR_INIT;

	assert_int_equal(add(&all, "{\"errors\":[]}", &e) < 0, true);
	err_done(&e);
	assert_int_equal(add(&all, "x", &e) < 0, true);
	err_done(&e);
	assert_null(all);
	assert_int_equal(add(&all, PAGE("", ""), &e), 0);
	assert_int_equal(add(&all, "{\"schemaVersion\":2,\"manifests\":1}", &e) < 0, true);
	assert_int_equal(cJSON_GetArraySize(json_get(all, "manifests")), 0);
}

static void test_query(void **state _unused_)
{
	_cleanup_free_ char *a = registry_query_word("application/vnd.x.v1+json"), *b = registry_query_word(""),
			    *c = registry_query_word("a b&c=\xff");

	assert_string_equal(a, "application%2Fvnd.x.v1%2Bjson");
	assert_string_equal(b, "");
	assert_string_equal(c, "a%20b%26c%3D%FF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
