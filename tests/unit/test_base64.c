/* Base64: RFC 4648's own examples, every length, and only one spelling of anything. */
#include "tests/unit/unit.h"

#include "base/base64.h"

static const struct {
	const char *plain, *text;
} rows[] = {
	/* RFC 4648 section 10 */
	{"", ""},	   {"f", "Zg=="},     {"fo", "Zm8="},	      {"foo", "Zm9v"},
	{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
	{"\xfb\xff\xbf", "+/+/"},
};

static void both_ways(void **state)
{
	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = base64_encode(rows[i].plain, strlen(rows[i].plain)), *plain = NULL;
		size_t len;

		assert_string_equal(text, rows[i].text);
		assert_int_equal(base64_decode(text, &plain, &len), 0);
		assert_int_equal(len, strlen(rows[i].plain));
		assert_string_equal(plain, rows[i].plain);
	}
}

static void every_byte(void **state)
{
	unsigned char all[256];

	(void) state;
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (unsigned char) (i * 7);
	for (size_t n = 0; n <= sizeof all; n++) {
		_cleanup_free_ char *text = base64_encode(all, n), *plain = NULL;
		size_t len;

		assert_int_equal(strlen(text), (n + 2) / 3 * 4);
		assert_int_equal(base64_decode(text, &plain, &len), 0);
		assert_int_equal(len, n);
		assert_memory_equal(plain, all, n);
	}
}

static void refused(void **state)
{
	static const char *const texts[] = {"Z",    "Zg",   "Zg=",  "Zg===", "=",     "====",  "Z===",	 "Zm8=Zm8=", "Zm=v",
					    "Zh==", "Zm9=", "Zm9-", "Zm9_",  "Zm9v\n", "Z m9v", "Zm9vZg", "Zm\x80v"};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		char *plain = NULL;
		size_t len;

		if (base64_decode(texts[i], &plain, &len) != -EINVAL)
			fail_msg("%s", texts[i]);
		assert_null(plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
