#include "tests/unit/unit.h"

#include "spec/ac_name.h"

typedef const char *(*check_fn)(const char *s);

static const char empty[] = "must not be empty";
static const char upper[] = "upper case is not allowed";
static const char bad_char[] = "has a character that is not allowed";
static const char bad_begin[] = "must begin, and go on after each separator, with a letter or digit";
static const char bad_end[] = "must end with a letter or digit";

struct row {
	const char *text, *why; /* NULL: fine */
};

static void check_rows(check_fn check, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *why = check(rows[i].text);

		if (!str_eq(why, rows[i].why))
			fail_msg("%s: %s, expected %s", q(rows[i].text), why ? why : "fine",
				 rows[i].why ? rows[i].why : "fine");
	}
}

static void test_name(void **state _unused_)
{
	static const struct row rows[] = {
		{"a", NULL},	   {"0", NULL},		 {"web-1", NULL},     {"a-b-c", NULL},
		{"", empty},	   {"Web", upper},	 {"a_b", bad_char},   {"a.b", bad_char},
		{"a/b", bad_char}, {"-a", bad_begin},	 {"a--b", bad_begin}, {"a-", bad_end},
		{"a b", bad_char}, {"\xc3\xa4", bad_char},
	};

	check_rows(ac_name_check, rows, ELEMENTSOF(rows));
}

static void test_identifier(void **state _unused_)
{
	static const struct row rows[] = {
		{"example.com/app", NULL}, {"a_b~c-d.e/f", NULL}, {"", empty},
		{"example.com//app", bad_begin}, {"../etc", bad_begin}, {"a/..", bad_begin}, {"/a", bad_begin},
		{"a/", bad_end},	   {"a:b", bad_char},	  {"Example.com", upper},
	};

	check_rows(ac_identifier_check, rows, ELEMENTSOF(rows));
}

static void test_env_name(void **state _unused_)
{
	static const struct row rows[] = {
		{"PATH", NULL}, {"_", NULL}, {"a.b-c_1", NULL}, {"", empty},
		{"1A", "must begin with a letter or underscore"},
		{"=A", "must begin with a letter or underscore"},
		{"A=B", bad_char}, {"A B", bad_char},
	};

	check_rows(ac_env_name_check, rows, ELEMENTSOF(rows));
}

static void test_version(void **state _unused_)
{
	static const char bad[] = "not a SemVer 2.0 version";
	static const struct row rows[] = {
		{"0.8.11", NULL}, {"1.0.0-alpha.1", NULL}, {"1.0.0-0.3.7", NULL}, {"1.0.0+build.001", NULL},
		{"1.0.0-rc.1+exp.sha-5114f85", NULL}, {"10.20.30", NULL}, {"1.0.0--", NULL}, {"1.0.0-00a", NULL},
		{"", bad}, {"1", bad}, {"1.2", bad}, {"1.2.3.4", bad}, {"01.2.3", bad}, {"1.02.3", bad},
		{"1.2.03", bad}, {"v1.2.3", bad}, {"1.2.3-", bad}, {"1.2.3+", bad}, {"1.2.3-01", bad},
		{"1.2.3-a..b", bad}, {"1.2.3-a_b", bad}, {"1.2.3+a+b", bad}, {"1.2.3 ", bad}, {"-1.2.3", bad},
	};

	check_rows(ac_version_check, rows, ELEMENTSOF(rows));
}

static void test_absolute_path(void **state _unused_)
{
	static const struct row rows[] = {
		{"/", NULL}, {"/a/b", NULL}, {"", "not an absolute path"}, {"a", "not an absolute path"},
	};

	check_rows(ac_absolute_path_check, rows, ELEMENTSOF(rows));
}

static void test_sanitize(void **state _unused_)
{
	static const struct row rows[] = {
		{"etcd", "etcd"}, {"Hello World", "hello-world"}, {"__a__b__", "a-b"}, {"...", ""}, {"", ""},
		{"\xc3\xa4pfel", "pfel"}, {"a-b", "a-b"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *s = ac_name_sanitize(rows[i].text);

		assert_string_equal(s, rows[i].why);
		if (*s)
			assert_null(ac_name_check(s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),	     cmocka_unit_test(test_identifier),
		cmocka_unit_test(test_env_name),     cmocka_unit_test(test_version),
		cmocka_unit_test(test_absolute_path), cmocka_unit_test(test_sanitize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
