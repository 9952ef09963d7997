#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "stage0/context.h"
#include "stage0/store/modes.h"

static void test_group(void **state _unused_)
{
	static const char text[] = "root:x:0:\nrktx:x:1:\nrkt-admin:x:2:\nbad:x\nworse:x:\nrkt:x:4711:a,b\nlast:x:5:";
	gid_t gid = 99;

	assert_int_equal(modes_find_group(text, "rkt", &gid), 0);
	assert_int_equal(gid, 4711);
	assert_int_equal(modes_find_group(text, "root", &gid), 0);
	assert_int_equal(gid, 0);
	assert_int_equal(modes_find_group(text, "last", &gid), 0);
	assert_int_equal(gid, 5);
	assert_int_equal(modes_find_group(text, "gantry", &gid), -ENOENT);
	assert_int_equal(modes_find_group(text, "bad", &gid), -ENOENT);
	assert_int_equal(modes_find_group(text, "worse", &gid), -ENOENT);
	assert_int_equal(modes_find_group("", "rkt", &gid), -ENOENT);
	assert_int_equal(modes_find_group("rkt", "rkt", &gid), -ENOENT);
	assert_int_equal(modes_find_group("rkt:x:-1:", "rkt", &gid), -ENOENT);
	assert_int_equal(modes_find_group("rkt:x:4294967295:", "rkt", &gid), -ENOENT);
	assert_int_equal(gid, 5);
}

static void test_like(void **state _unused_)
{
	int dir = scratch_open();
	struct stat st;

	assert_int_equal(mkdirat(dir, "alone", 0700), 0);
	assert_int_equal(modes_mkdir_like(dir, "a", "alone"), 1);
	assert_int_equal(modes_mkdir_like(dir, "a", "alone"), 0);
	assert_int_equal(fstatat(dir, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(mkdirat(dir, "shared", 0700), 0);
	assert_int_equal(fchmodat(dir, "shared", 02770, 0), 0);
	assert_int_equal(modes_mkdir_like(dir, "b", "shared"), 1);
	assert_int_equal(fstatat(dir, "b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 02770);
	assert_int_equal(modes_mkdir_like(dir, "no/where", "shared"), -ENOENT);
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_group), cmocka_unit_test(test_like)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
