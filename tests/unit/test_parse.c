#include "tests/unit/unit.h"

#include "base/parse.h"

static void test_u64(void **state _unused_)
{
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t v;
	} rows[] = {
		{"0", 0, 0, 0}, {"007", 9, 0, 7}, {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, -ERANGE, 0}, {"99999999999999999999", UINT64_MAX, -ERANGE, 0},
		{"10", 9, -ERANGE, 0}, {"", 9, -EINVAL, 0}, {"-1", 9, -EINVAL, 0}, {"+1", 9, -EINVAL, 0},
		{" 1", 9, -EINVAL, 0}, {"1 ", 9, -EINVAL, 0}, {"0x1", 9, -EINVAL, 0}, {"1e1", 99, -EINVAL, 0},
		{"1\n", 9, -EINVAL, 0}, {"\xd9\xa1", 9, -EINVAL, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		uint64_t v = 77;

		assert_int_equal(parse_u64(rows[i].text, rows[i].max, &v), rows[i].r);
		assert_true(v == (rows[i].r ? 77 : rows[i].v));
	}
}

static void test_i64(void **state _unused_)
{
	static const struct {
		const char *text;
		int r;
		int64_t v;
	} rows[] = {
		{"0", 0, 0}, {"-0", 0, 0}, {"-1000", 0, -1000}, {"1000", 0, 1000}, {"-1001", -ERANGE, 0},
		{"1001", -ERANGE, 0}, {"9223372036854775808", -ERANGE, 0}, {"--1", -EINVAL, 0}, {"-", -EINVAL, 0},
		{"", -EINVAL, 0}, {"- 1", -EINVAL, 0}, {"1-", -EINVAL, 0},
	};
	int64_t v;

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		v = 77;
		assert_int_equal(parse_i64(rows[i].text, -1000, 1000, &v), rows[i].r);
		assert_int_equal(v, rows[i].r ? 77 : rows[i].v);
	}
	assert_int_equal(parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(parse_i64("-9223372036854775807", INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == -INT64_MAX);
}

static void test_ids(void **state _unused_)
{
	uid_t uid = 7;
	pid_t pid = 7;

	assert_int_equal(parse_uid("4294967294", &uid), 0);
	assert_int_equal(uid, 4294967294u);
	assert_int_equal(parse_uid("4294967295", &uid), -ERANGE);
	assert_int_equal(parse_uid("4294967296", &uid), -ERANGE);
	assert_int_equal(parse_uid("-1", &uid), -EINVAL);
	assert_int_equal(parse_uid("0root", &uid), -EINVAL);
	assert_int_equal(uid, 4294967294u);
	assert_int_equal(parse_pid("1", &pid), 0);
	assert_int_equal(parse_pid("0", &pid), -EINVAL);
	assert_int_equal(parse_pid("-1", &pid), -EINVAL);
	assert_int_equal(parse_pid("2147483648", &pid), -ERANGE);
	assert_int_equal(pid, 1);
}

static void test_mode_and_bool(void **state _unused_)
{
	static const char *const yes[] = {"true", "TRUE", "True", "t", "T", "1"},
			  *const no[] = {"false", "FALSE", "False", "f", "F", "0"};
	static const char *const bad[] = {"", "tRUE", "yes", "no", "on", "2", "true ", "y", "11"};
	mode_t mode = 1;
	bool b;

	assert_int_equal(parse_mode("0755", &mode), 0);
	assert_int_equal(mode, 0755);
	assert_int_equal(parse_mode("07777", &mode), 0);
	assert_int_equal(parse_mode("10000", &mode), -ERANGE);
	assert_int_equal(parse_mode("77777777777777777777", &mode), -ERANGE);
	assert_int_equal(parse_mode("8", &mode), -EINVAL);
	assert_int_equal(parse_mode("", &mode), -EINVAL);
	assert_int_equal(parse_mode("-7", &mode), -EINVAL);
	assert_int_equal(mode, 07777);
	for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
		assert_true(parse_bool(yes[i], &b) == 0 && b);
		assert_true(parse_bool(no[i], &b) == 0 && !b);
	}
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_int_equal(parse_bool(bad[i], &b), -EINVAL);
}

#define MS 1000000LL
#define SEC (1000 * MS)

static void test_duration(void **state _unused_)
{
	static const struct {
		const char *text;
		int r;
		int64_t ns;
	} rows[] = {
		{"0", 0, 0}, {"-0", 0, 0}, {"30m", 0, 1800 * SEC}, {"1h30m", 0, 5400 * SEC}, {"1.5s", 0, 1500 * MS},
		{"250ms", 0, 250 * MS}, {"1us", 0, 1000}, {"7ns", 0, 7}, {"0s", 0, 0}, {"-2s", 0, -2 * SEC},
		{"1h0.5m3s", 0, 3633 * SEC}, {"1.0000000001s", 0, SEC}, {"0.000000001s", 0, 1},
		{"2562047h", 0, 2562047LL * 3600 * SEC}, {"2562048h", -ERANGE, 0}, {"99999999999999999999s", -ERANGE, 0},
		{"2562047h1000000000s", -ERANGE, 0}, {"1.99999999999999999999h", 0, 7200 * SEC - 3600},
		{"", -EINVAL, 0}, {"-", -EINVAL, 0}, {"1", -EINVAL, 0}, {"s", -EINVAL, 0}, {"1x", -EINVAL, 0},
		{"1s ", -EINVAL, 0}, {" 1s", -EINVAL, 0}, {"1s2", -EINVAL, 0}, {"+1s", -EINVAL, 0}, {"--1s", -EINVAL, 0},
		{"1..5s", -EINVAL, 0}, {"1S", -EINVAL, 0}, {"00", -EINVAL, 0}, {"1m-1s", -EINVAL, 0},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		int64_t ns = 77;
		int r = parse_duration(rows[i].text, &ns);

		if (r != rows[i].r || ns != (r ? 77 : rows[i].ns))
			fail_msg("%s: %d %lld", rows[i].text, r, (long long) ns);
	}
}

/* Three decimals of any unit are exact. */
static void test_duration_fractions(void **state _unused_)
{
	for (int i = 0; i < 1000; i++) {
		char text[32];
		int64_t ns;

		(void) snprintf(text, sizeof text, "7.%03ds", i);
		assert_int_equal(parse_duration(text, &ns), 0);
		assert_int_equal(ns, 7 * SEC + i * MS);
		(void) snprintf(text, sizeof text, "0.%03dh", i);
		assert_int_equal(parse_duration(text, &ns), 0);
		assert_int_equal(ns, 3600 * i * MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),	       cmocka_unit_test(test_i64),
		cmocka_unit_test(test_ids),	       cmocka_unit_test(test_mode_and_bool),
		cmocka_unit_test(test_duration),       cmocka_unit_test(test_duration_fractions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
