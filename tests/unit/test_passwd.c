#include "tests/unit/unit.h"

#include "stage2/passwd.h"

static void test_find(void **state _unused_)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
				   "# web:x:1:1\n"
				   "+nis::::::\n"
				   "bad:x:minus:1::/:\n"
				   "none:x\n"
				   "empty:x::1\n"
				   ":x:5:5\n"
				   "max:x:4294967294:1\n"
				   "over:x:4294967295:1\n"
				   "long:x:00000000000000000000001:1\n"
				   "web:x:101:102::/:/bin/sh\n"
				   "web:x:0:0::/:/bin/sh\n"
				   "short:x:7\n"
				   "web2:x:103:104";
	static const struct {
		const char *name;
		int r;
		uid_t id;
	} rows[] = {
		{"root", 0, 0},		{"web", 0, 101},       {"web2", 0, 103},
		{"max", 0, 4294967294}, {"short", 0, 7},       {"we", -ENOENT, 0},
		{"web:", -ENOENT, 0},	{"", -ENOENT, 0},      {"bad", -EINVAL, 0},
		{"none", -EINVAL, 0},	{"empty", -EINVAL, 0}, {"over", -EINVAL, 0},
		{"long", -EINVAL, 0},	{"ROOT", -ENOENT, 0},  {"web\nroot", -ENOENT, 0},
		{"0", -ENOENT, 0},	{"web:x", -ENOENT, 0}, {"+nis", -EINVAL, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		uid_t id = 12345;
		int r = passwd_find(text, sizeof text - 1, rows[i].name, &id);

		if (r != rows[i].r || id != (r < 0 ? 12345 : rows[i].id))
			fail_msg("%s: %d, id %u", q(rows[i].name), r, id);
	}
}

static void test_user(void **state _unused_)
{
	static const char text[] = "app\n"
				   "root:x:0:0:root:/root:/bin/sh\n"
				   "bad:x:minus:1\n"
				   "badgroup:x:8:x:\n"
				   "nogroup:x:9\n"
				   "emptygroup:x:10::\n"
				   "app:x:101:102::/:/bin/sh\n"
				   "two:x:101:7::/:/bin/sh";
	static const struct {
		const char *name;
		uid_t uid;
		int r;
		const char *found;
		gid_t gid;
	} rows[] = {
		{"root", 5, 0, "root", 0},
		{"app", 5, 0, "app", 102},
		{NULL, 101, 0, "app", 102}, /* the first that has it */
		{NULL, 0, 0, "root", 0},
		{"nogroup", 0, 0, "nogroup", 0},
		{"emptygroup", 0, 0, "emptygroup", 0},
		{NULL, 9, 0, "nogroup", 0},
		{"bad", 0, -EINVAL, NULL, 0},
		{"badgroup", 0, -EINVAL, NULL, 0},
		{"nobody", 0, -ENOENT, NULL, 0},
		{"", 0, -ENOENT, NULL, 0},
		{"app:x", 0, -ENOENT, NULL, 0},
		{NULL, 4, -ENOENT, NULL, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		struct passwd_user user = {0};
		int r = passwd_user(text, sizeof text - 1, rows[i].name, rows[i].uid, &user);

		if (r != rows[i].r)
			fail_msg("row %zu: %d", i, r);
		if (r < 0)
			continue;
		assert_int_equal(user.gid, rows[i].gid);
		assert_int_equal(user.name_len, strlen(rows[i].found));
		assert_memory_equal(user.name, rows[i].found, user.name_len);
	}
}

static void test_groups(void **state _unused_)
{
	static const char text[] = "root:x:0:\n"
				   "a:x:1:web\n"
				   "b:x:2:x,web,y\n"
				   "c:x:3:webx,xweb\n"
				   "again:x:2:web\n"
				   "bad:x:no:web\n"
				   "short:x:9\n"
				   "d:x:4:,web,:more\n"
				   "e:x:5:y,web";
	gid_t got[8];

	assert_int_equal(passwd_groups_of(text, sizeof text - 1, "web", 3, got, ELEMENTSOF(got)), 4);
	assert_int_equal(got[0], 1);
	assert_int_equal(got[1], 2);
	assert_int_equal(got[2], 4);
	assert_int_equal(got[3], 5);
	assert_int_equal(passwd_groups_of(text, sizeof text - 1, "web", 3, got, 2), 2);
	assert_int_equal(passwd_groups_of(text, sizeof text - 1, "none", 4, got, 8), 0);
	assert_int_equal(passwd_groups_of(text, sizeof text - 1, "", 0, got, 8), 0);
	for (size_t n = 0; n < sizeof text; n++) {
		_cleanup_free_ char *cut = xmemdup(text, n ? n : 1);

		assert_true(passwd_groups_of(cut, n, "web", 3, got, 8) <= 4);
	}
}

/* Not NUL-terminated, and not read behind its end, wherever that is. */
static void test_cut(void **state _unused_)
{
	static const char text[] = "a:x:1:1\nweb:x:101:102::/:/bin/sh\n";

	for (size_t n = 0; n < sizeof text; n++) {
		_cleanup_free_ char *cut = xmemdup(text, n ? n : 1);
		uid_t id = 0;
		int r = passwd_find(cut, n, "web", &id);

		/*
		 * "web:x:1": cut in the middle of the number it is another number, as for every
		 * reader.
		 */
		assert_true(r == -ENOENT || r == -EINVAL ||
			    (r == 0 && (id == 1 || id == 10 || id == 101)));
	}
	assert_int_equal(passwd_find("", 0, "web", &(uid_t) {0}), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find), cmocka_unit_test(test_user), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
