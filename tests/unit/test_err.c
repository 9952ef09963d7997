#include "tests/unit/unit.h"

static void test_set(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;

	assert_string_equal(err_text(&e), "no error");
	assert_int_equal(err_set(&e, ENOENT, "image %s", q("a")), -ENOENT);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(err_text(&e), "image \"a\"");
	assert_int_equal(err_set(&e, EEXIST, "%s again", err_text(&e)), -EEXIST);
	assert_string_equal(err_text(&e), "image \"a\" again");
	assert_int_equal(err_set(NULL, EPERM, "nobody reads"), -EPERM);
}

static void test_sys(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;

	errno = EACCES;
	assert_int_equal(err_sys(&e, "open %s", "/x"), -EACCES);
	assert_string_equal(err_text(&e), "open /x: Permission denied");
	errno = 0;
	assert_int_equal(err_sys(&e, "read"), -EIO);
	errno = EBUSY;
	assert_int_equal(err_sys(NULL, "read"), -EBUSY);
	assert_int_equal(err_sysr(&e, -ELOOP, "walk"), -ELOOP);
	assert_string_equal(err_text(&e), "walk: Too many levels of symbolic links");
}

static void test_context(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;

	err_set(&e, ENOENT, "no volume");
	assert_int_equal(err_ctx(&e, -ENOENT, "app %s", "redis"), -ENOENT);
	assert_int_equal(err_ctx(&e, -ENOENT, "pod %d", 7), -ENOENT);
	assert_string_equal(err_text(&e), "pod 7: app redis: no volume");
	err_done(&e);
	/* The callee gave a number only. */
	assert_int_equal(err_ctx(&e, -EPERM, "poke"), -EPERM);
	assert_string_equal(err_text(&e), "poke: Operation not permitted");
	assert_int_equal(e.code, EPERM);
	assert_int_equal(err_ctx(NULL, -EPERM, "poke"), -EPERM);
}

static void test_move(void **state _unused_)
{
	_cleanup_err_ struct err a = ERR_INIT, b = ERR_INIT;

	err_set(&a, ENOSPC, "full");
	err_set(&b, EIO, "old");
	assert_int_equal(err_move(&b, &a), -ENOSPC);
	assert_string_equal(err_text(&b), "full");
	assert_string_equal(err_text(&a), "no error");
	assert_int_equal(err_move(NULL, &b), -ENOSPC);
	assert_null(b.msg);
	assert_int_equal(err_move(&a, &b), -EIO);
}

static void test_done_keeps_errno(void **state _unused_)
{
	struct err e = ERR_INIT;

	err_set(&e, EIO, "x");
	errno = EXDEV;
	err_done(&e);
	err_done(&e);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(e.code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),  cmocka_unit_test(test_sys),
		cmocka_unit_test(test_context), cmocka_unit_test(test_move),
		cmocka_unit_test(test_done_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
