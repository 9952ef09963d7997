#include "tests/unit/unit.h"

#include "stage0/image/internal.h"

static void test_expect(void **state _unused_)
{
	static const struct {
		const char *ref, *name, *version, *why;
	} rows[] = {
		{"a.com/app", "a.com/app", NULL, NULL},
		{"a.com/app:1", "a.com/app", "1", NULL},
		{"a.com/app", "a.com/app", "1", NULL},
		{"a.com/app", "a.com/ap", NULL,
		 "the image's name is \"a.com/ap\", and not \"a.com/app\""},
		{"a.com/app:1", "a.com/app", "2",
		 "image \"a.com/app\": requested value for label \"version\": \"1\" differs from fetched aci "
		 "label value: \"2\""},
		{"a.com/app:1", "a.com/app", NULL,
		 "image \"a.com/app\": requested label \"version\" not provided by the image manifest"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_image_ref_ struct image_ref ref = {0};
		_cleanup_err_ struct err e = ERR_INIT;
		struct nameval_list labels = {0};
		int r;

		assert_int_equal(image_ref_parse_name(rows[i].ref, &ref, NULL), 0);
		if (rows[i].version)
			nameval_set(&labels, "version", rows[i].version);
		r = image_check_expected(&ref, rows[i].name, &labels, &e);
		assert_int_equal(r, rows[i].why ? -ENOENT : 0);
		if (rows[i].why)
			assert_string_equal(err_text(&e), rows[i].why);
		nameval_done(&labels);
	}
	assert_int_equal(image_check_expected(NULL, "any", &(struct nameval_list) {0}, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_expect)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
