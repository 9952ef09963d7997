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
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
