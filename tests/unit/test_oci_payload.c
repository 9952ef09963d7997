#include "tests/unit/unit.h"

#include "stage0/oci/payload.h"

#define DIGEST "sha256:0123456789012345678901234567890123456789012345678901234567890123"
#define IMAGE "\"image\": {\"docker-manifest-digest\": \"" DIGEST "\"}"
#define IDENTITY "\"identity\": {\"docker-reference\": \"a.com/x:1\"}"
#define TYPE "\"type\": \"atomic container signature\""
#define CRITICAL(members) "{\"critical\": {" members "}, \"optional\": null}"

static void test_good(void **state _unused_)
{
	static const char *const texts[] = {
		CRITICAL(TYPE ", " IMAGE ", " IDENTITY),
		"{\"critical\": {" TYPE ", " IMAGE ", " IDENTITY "}, \"optional\": {\"creator\": \"me\", \"x\": [1]}}",
		"{\"critical\": {" IDENTITY ", " IMAGE ", " TYPE "}}",
	};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_payload_ struct payload p = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		if (payload_parse(texts[i], strlen(texts[i]), PAYLOAD_OPENPGP, &p, &e) < 0)
			fail_msg("%s: %s", texts[i], err_text(&e));
		assert_string_equal(p.digest, DIGEST);
		assert_string_equal(p.signed_as, "a.com/x:1");
	}
}

static void test_bad(void **state _unused_)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "line 1"},
		{"null", "expected object"},
		{"{}", "critical"},
		{CRITICAL(TYPE ", " IMAGE), "identity"},
		{CRITICAL(TYPE ", " IDENTITY), "image"},
		{CRITICAL(IMAGE ", " IDENTITY), "type"},
		{CRITICAL(TYPE ", " IMAGE ", " IDENTITY ", \"expires\": 1"), "expires"},
		{CRITICAL("\"type\": \"cosign container image signature\", " IMAGE ", " IDENTITY),
		 "it says that it is \"cosign"},
		{CRITICAL(TYPE ", \"image\": {\"docker-manifest-digest\": \"sha256:../../x\"}, " IDENTITY),
		 "docker-manifest-digest"},
		{CRITICAL(TYPE ", " IMAGE ", \"identity\": {\"docker-reference\": \"\"}"), "docker-reference"},
		{CRITICAL(TYPE ", " IMAGE ", " IDENTITY ", " IDENTITY), "identity"},
		{"{\"critical\": {" TYPE ", " IMAGE ", " IDENTITY "}, \"Critical\": {}}", "Critical"},
		{"{\"critical\": {" TYPE ", " IMAGE ", " IDENTITY "}} x", "line 1"},
	};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		_cleanup_payload_ struct payload p = {0};
		_cleanup_err_ struct err e = ERR_INIT;

		assert_true(payload_parse(bad[i].text, strlen(bad[i].text), PAYLOAD_OPENPGP, &p, &e) < 0);
		if (!strstr(err_text(&e), bad[i].why))
			fail_msg("%s: %s", bad[i].text, err_text(&e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
