/* Paths that the operator gave, and paths as words; see test_path_beneath.c for the others. */
#include "tests/unit/unit.h"

#include <limits.h>

static void make_file(int root, const char *path)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	fd_close(fd);
}

static void test_mkdirs(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *deep = NULL, *at_file = NULL, *why = NULL;
	int root = scratch_open();

	make_file(root, "file");
	deep = xasprintf("%s//a/./b/", scratch_path);
	at_file = xasprintf("%s/file", scratch_path);
	assert_int_equal(path_mkdirs(deep, 0700, &e), 0);
	assert_int_equal(path_mkdirs(deep, 0700, &e), 0);
	assert_int_equal(faccessat(root, "a/b", F_OK, 0), 0);
	assert_int_equal(path_mkdirs("/", 0700, &e), 0);
	assert_int_equal(path_mkdirs(at_file, 0700, &e), -ENOTDIR);
	why = xasprintf("%s: not a directory", at_file);
	assert_err(&e, why);
	scratch_close(root);
}

static void test_join_and_clean(void **state _unused_)
{
	static const char *const joined[][3] = {
		{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"},
		{"", "/b", "/b"}, {"a", "", "a/"},
	};
	static const char *const cleaned[][2] = {
		{"/", "/"}, {"", "/"}, {"//", "/"}, {"/a//b/", "/a/b"}, {"/a/./b", "/a/b"}, {"/a/../b", "/b"},
		{"/..", "/"}, {"/../../a", "/a"}, {"/a/b/../..", "/"}, {"/a/...", "/a/..."}, {"/a/..b", "/a/..b"},
	};

	for (size_t i = 0; i < ELEMENTSOF(joined); i++) {
		_cleanup_free_ char *s = path_join(joined[i][0], joined[i][1]);

		assert_string_equal(s, joined[i][2]);
	}
	for (size_t i = 0; i < ELEMENTSOF(cleaned); i++) {
		_cleanup_free_ char *s = path_clean(cleaned[i][0]);

		assert_string_equal(s, cleaned[i][1]);
	}
}

static void test_predicates(void **state _unused_)
{
	char name[NAME_MAX + 2];

	assert_true(path_is_below("/a/b", "/a"));
	assert_true(path_is_below("/a", "/a"));
	assert_true(path_is_below("/a", "/"));
	assert_false(path_is_below("/ab", "/a"));
	assert_false(path_is_below("/", "/a"));
	assert_false(path_is_below("/a", "/a/b"));
	assert_true(path_is_absolute("/"));
	assert_false(path_is_absolute(""));
	assert_string_equal(path_last("/a/b"), "b");
	assert_string_equal(path_last("b"), "b");
	assert_string_equal(path_last("a/"), "");
	assert_true(path_is_name("a"));
	assert_true(path_is_name("..."));
	assert_false(path_is_name(""));
	assert_false(path_is_name("."));
	assert_false(path_is_name(".."));
	assert_false(path_is_name("a/b"));
	memset(name, 'a', sizeof name);
	name[NAME_MAX + 1] = '\0';
	assert_false(path_is_name(name));
	name[NAME_MAX] = '\0';
	assert_true(path_is_name(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mkdirs),
		cmocka_unit_test(test_join_and_clean),
		cmocka_unit_test(test_predicates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
