#include "tests/unit/unit.h"

#include "spec/uuid.h"

static void test_new(void **state _unused_)
{
	char a[UUID_LEN + 1], b[UUID_LEN + 1];
	unsigned variants = 0;

	for (int i = 0; i < 1000; i++) {
		uuid_new(a);
		uuid_new(b);
		assert_null(uuid_check(a));
		assert_string_not_equal(a, b);
		assert_int_equal(a[14], '4');
		variants |= 1u << (strchr("89ab", a[19]) - "89ab");
	}
	/* All four values of the variant's free bits come up. */
	assert_int_equal(variants, 0xf);
}

static void test_check(void **state _unused_)
{
	static const char bad[] = "not a UUID in lower case", version[] = "not a version 4 UUID";
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"6ba7b810-9dad-41d1-80b4-00c04fd430c8", NULL},
		{"6ba7b810-9dad-11d1-80b4-00c04fd430c8", version},
		{"6ba7b810-9dad-41d1-c0b4-00c04fd430c8", version},
		{"6BA7B810-9dad-41d1-80b4-00c04fd430c8", bad},
		{"6ba7b810-9dad-41d1-80b4-00c04fd430c", bad},
		{"6ba7b810-9dad-41d1-80b4-00c04fd430c88", bad},
		{"6ba7b8109dad-41d1-80b4-00c04fd430c8--", bad},
		{"6ba7b810-9dad-41d1-80b4-00c04fd430/.", bad},
		{"", bad},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_true(str_eq(uuid_check(rows[i].text), rows[i].why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
