/* Columns as text/tabwriter makes them, times and sizes in words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "stage0/cli/table.h"

static void columns(void **state)
{
	static const char *const cells[] = {"UUID", "APP", "STATE", "12345678", "x", "running", NULL, "longer-name", NULL};
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void) state;
	table_print(f, cells, 3, 3);
	fclose(f);
	/* 8 characters and one of padding make two tabs' width; 11 make two as well. */
	assert_string_equal(text, "UUID\t\tAPP\t\tSTATE\n12345678\tx\t\trunning\n\t\tlonger-name\t\n");
}

static void times(void **state)
{
	static const struct {
		int64_t age_s;
		const char *text;
	} rows[] = {
		{0, "now"},		     {1, "1 second ago"},	 {59, "59 seconds ago"}, {60, "1 minute ago"},
		{125, "2 minutes ago"},	     {3600, "1 hour ago"},	 {86400, "1 day ago"},	 {8 * 86400, "1 week ago"},
		{40 * 86400, "1 month ago"}, {800 * 86400, "2 years ago"}, {-120, "2 minutes from now"},
		{119, "1 minute ago"},	     {13 * 86400, "1 week ago"}, {29 * 86400, "4 weeks ago"},
		{359 * 86400, "11 months ago"}, {360 * 86400, "1 year ago"}, {539 * 86400, "1 year ago"},
		{540 * 86400, "2 years ago"}, {-1, "1 second from now"}, {1900000000, "a long while ago"},
	};
	const int64_t now = 2000000000LL * 1000000000;

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *s = time_humanized(now - rows[i].age_s * 1000000000, now);

		assert_string_equal(s, rows[i].text);
	}
	_cleanup_free_ char *none = time_humanized(0, now);

	assert_string_equal(none, "");
}

static void full_times_drop_zeros(void **state)
{
	_cleanup_free_ char *a = NULL, *b = NULL;

	(void) state;
	setenv("TZ", "UTC", 1);
	a = time_full(1136214245LL * 1000000000 + 120000000);
	b = time_full(1136214245LL * 1000000000);
	assert_string_equal(a, "2006-01-02 15:04:05.12 +0000 UTC");
	assert_string_equal(b, "2006-01-02 15:04:05 +0000 UTC");
}

static void sizes(void **state)
{
	static const struct {
		int64_t n;
		const char *text;
	} rows[] = {{0, "0B"}, {1023, "1023B"}, {1024, "1.0KiB"}, {12 << 20, "12MiB"}, {10443816, "10MiB"}, {10380902, "9.9MiB"}, {1536LL << 20, "1.5GiB"}};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *s = size_iec(rows[i].n);

		assert_string_equal(s, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(times),
		cmocka_unit_test(full_times_drop_zeros),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
