#include "tests/unit/unit.h"

#include "spec/image_id.h"

/* "sha512-" and n digits c. */
static char *make_id(size_t n, char c)
{
	char *s = xmalloc(sizeof IMAGE_ID_PREFIX + n);

	memcpy(s, IMAGE_ID_PREFIX, sizeof IMAGE_ID_PREFIX);
	memset(s + strlen(IMAGE_ID_PREFIX), c, n);
	s[strlen(IMAGE_ID_PREFIX) + n] = '\0';
	return s;
}

static void test_lengths(void **state _unused_)
{
	for (size_t n = 0; n <= 130; n++) {
		_cleanup_free_ char *id = make_id(n, 'f');
		const char *whole = image_id_check(id), *prefix = image_id_prefix_check(id);

		if (n == 128)
			assert_null(whole);
		else
			assert_string_equal(whole, "an image id has 128 lower-case hex digits");
		if (n < 2)
			assert_string_equal(prefix, "image ID too short");
		else if (n > 128)
			assert_string_equal(prefix, "image ID too long");
		else
			assert_null(prefix);
	}
	assert_int_equal(IMAGE_ID_LEN, 135);
}

static void test_tree_ids(void **state _unused_)
{
	_cleanup_free_ char *id = make_id(128, 'a'), *prefixed = xasprintf("deps-%s", id);
	_cleanup_free_ char *twice = xasprintf("deps-%s", prefixed);

	assert_null(tree_id_check(id));
	assert_null(tree_id_check(prefixed));
	assert_int_equal(strlen(prefixed), TREE_ID_MAX);
	assert_non_null(tree_id_check(twice));
	assert_non_null(tree_id_check("deps-"));
	assert_non_null(tree_id_check("deps-../x"));
	assert_non_null(tree_id_check("deps-sha512-aa"));
}

static void test_characters(void **state _unused_)
{
	static const char not_hex[] = "gFG/.- \n\x80";

	for (const char *c = not_hex; *c; c++) {
		_cleanup_free_ char *id = make_id(128, 'a');

		id[70] = *c;
		assert_string_equal(image_id_check(id), "an image id has 128 lower-case hex digits");
		assert_string_equal(image_id_prefix_check(id), "an image id has lower-case hex digits");
	}
}

static void test_algorithm(void **state _unused_)
{
	static const char *const others[] = {"", "sha512", "sha256-aa", "SHA512-aa", "aa", "sha512:aa", "../sha512-aa"};

	for (size_t i = 0; i < ELEMENTSOF(others); i++) {
		assert_string_equal(image_id_check(others[i]), "an image id begins with sha512-");
		assert_string_equal(image_id_prefix_check(others[i]), "an image id begins with sha512-");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_characters), cmocka_unit_test(test_tree_ids),
		cmocka_unit_test(test_algorithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
