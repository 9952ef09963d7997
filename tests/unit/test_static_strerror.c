/* What the static programs say of an error is what all others say of it. */
#include "tests/unit/unit.h"

#define strerror static_strerror
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "lib/static/strerror.c"
#undef strerror

static void same(void **state)
{
	size_t n = 0;

	(void) state;
	for (int i = 0; i < 140; i++) {
		if ((size_t) i >= ELEMENTSOF(texts) || !texts[i])
			continue;
		assert_string_equal(static_strerror(i), strerror(i));
		n++;
	}
	assert_true(n > 80);
	assert_string_equal(static_strerror(-1), strerror(-1));
	assert_string_equal(static_strerror(4096), "Unknown error 4096");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(same)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
