#include "tests/unit/unit.h"

#include "base/str.h"
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
	assert_non_null(tree_id_check(twice));
	assert_non_null(tree_id_check("deps-"));
	assert_non_null(tree_id_check("deps-../x"));
	assert_non_null(tree_id_check("deps-sha512-aa"));
}

static void test_layer_ids(void **state _unused_)
{
	_cleanup_free_ char *id = make_id(128, 'a'), *attrs = xasprintf("attrs-%s", id);
	_cleanup_free_ char *both = xasprintf("attrs-deps-%s", id);

	assert_null(tree_id_check(attrs));
	assert_int_equal(strlen(attrs), TREE_ID_MAX);
	assert_non_null(tree_id_check(both));
	assert_non_null(tree_id_check("attrs-"));
	for (int n = 0; n <= 66; n++) {
		_cleanup_free_ char *digits = make_id((size_t) n, 'e');
		_cleanup_free_ char *layer = xasprintf("layer-sha256-%s", digits + strlen(IMAGE_ID_PREFIX));
		const char *wrong = tree_id_check(layer);

		if (n == 64)
			assert_null(wrong);
		else
			assert_string_equal(wrong, "the id of a layer's tree has 64 lower-case hex digits");
		if (n != 64)
			continue;
		layer[30] = '/';
		assert_non_null(tree_id_check(layer));
		layer[30] = 'E';
		assert_non_null(tree_id_check(layer));
	}
	assert_non_null(tree_id_check("layer-sha512-aa"));
}

static void test_stacks(void **state _unused_)
{
	_cleanup_free_ char *a = make_id(128, 'a'), *b = make_id(128, 'b');
	_cleanup_free_ char *both = xasprintf("%s\n%s", a, b), *open_end = xasprintf("%s\n", a);
	_cleanup_strv_ char **one = NULL, **two = NULL;
	_cleanup_strbuf_ struct strbuf many = STRBUF_INIT;
	const char *why;

	one = tree_ids_parse(a, &why);
	assert_null(why);
	assert_int_equal(strv_len(one), 1);
	two = tree_ids_parse(both, &why);
	assert_null(why);
	assert_int_equal(strv_len(two), 2);
	assert_string_equal(two[0], a);
	assert_string_equal(two[1], b);
	assert_null(tree_ids_parse("", &why));
	assert_non_null(why);
	assert_null(tree_ids_parse(open_end, &why));
	assert_non_null(why);
	assert_null(tree_ids_parse("../../etc", &why));
	assert_non_null(why);
	for (int i = 0; i < TREE_STACK_MAX + 1; i++)
		strbuf_addf(&many, "%s%s", i ? "\n" : "", a);
	assert_null(tree_ids_parse(many.buf, &why));
	assert_string_equal(why, "more trees than overlayfs can stack");
	many.buf[many.len - IMAGE_ID_LEN - 1] = '\0';
	two = (strv_free(two), tree_ids_parse(many.buf, &why));
	assert_null(why);
	assert_int_equal(strv_len(two), TREE_STACK_MAX);
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
		cmocka_unit_test(test_characters), cmocka_unit_test(test_tree_ids), cmocka_unit_test(test_layer_ids),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_algorithm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
