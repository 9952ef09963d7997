#include "tests/unit/unit.h"

#include "base/path_escape.h"

static void test_both_ways(void **state _unused_)
{
	static const struct {
		const char *path, *text;
	} rows[] = {
		{"", ""},
		{"usr/lib", "usr/lib"},
		{"a b", "a\\040b"},
		{"a\nb\tc", "a\\012b\\011c"},
		{"back\\slash", "back\\134slash"},
		{"\xc3\xa4\x7f", "\\303\\244\\177"},
		{"\x01\xff", "\\001\\377"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = path_escape(rows[i].path);
		_cleanup_free_ char *path = path_unescape(rows[i].text);

		assert_string_equal(text, rows[i].text);
		assert_string_equal(path, rows[i].path);
	}
}

static void test_malformed(void **state _unused_)
{
	static const char *const rows[] = {"a b", "\\", "\\0", "\\04", "\\400", "\\777", "\\000", "\\x41", "a\nb", "\xff"};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_null(path_unescape(rows[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
