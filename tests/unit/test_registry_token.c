#include "tests/unit/unit.h"

#include "base/str.h"
#include "stage0/oci/registry.h"

static void test_taken(void **state _unused_)
{
	static const struct {
		const char *text, *token;
		int64_t seconds;
	} rows[] = {
		{"{\"token\":\"a\"}", "a", 60},
		{"{\"access_token\":\"b\",\"expires_in\":300}", "b", 300},
		{"{\"token\":\"a\",\"access_token\":\"b\",\"expires_in\":1}", "a", 60},
		{"{\"token\":\"\",\"access_token\":\"b\",\"expires_in\":\"x\"}", "b", 60},
		{"{\"token\":\"a\",\"expires_in\":-5,\"issued_at\":\"2020-01-01T00:00:00Z\"}", "a", 60},
		{"{\"token\":\"a\",\"expires_in\":1e99}", "a", 60},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *token = NULL;
		_cleanup_err_ struct err e = ERR_INIT;
		int64_t seconds = 0;

		if (registry_token_parse(rows[i].text, strlen(rows[i].text), &token, &seconds, &e) < 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e));
		assert_string_equal(token, rows[i].token);
		assert_int_equal(seconds, rows[i].seconds);
	}
}

static void test_refused(void **state _unused_)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"[]", "expected object"},
		{"{}", "neither token nor access_token is in it"},
		{"{\"token\":1}", "neither token nor access_token is in it"},
		{"{\"token\":\"a b\"}", "its token has characters that no token has"},
		{"{\"token\":\"a\\r\\nX: y\"}", "its token has characters that no token has"},
		{"{\"token\":\"\xc3\xa4\"}", "its token has characters that no token has"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *token = NULL;
		_cleanup_err_ struct err e = ERR_INIT;
		int64_t seconds;

		assert_int_equal(registry_token_parse(rows[i].text, strlen(rows[i].text), &token, &seconds, &e), -EINVAL);
		assert_string_equal(err_text(&e), rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken), cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
