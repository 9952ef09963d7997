#include "stage0/cli/table.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

#define TAB 8

/* Characters, not bytes: names may hold UTF-8. */
static size_t cell_width(const char *s)
{
	size_t n = 0;

	for (; s && *s; s++)
		n += ((unsigned char) *s & 0xc0) != 0x80;
	return n;
}

static void print_row(FILE *f, const char *const *cells, const size_t *width, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t full = (width[i] + 1 + TAB - 1) / TAB * TAB;

		fputs(cells[i] ? cells[i] : "", f);
		if (i + 1 == n) {
			fputc('\n', f);
			continue;
		}
		for (size_t at = cell_width(cells[i]); at < full; at = at / TAB * TAB + TAB)
			fputc('\t', f);
	}
}

void table_print_some(FILE *f, const char *const *cells, size_t n, size_t n_columns,
		      size_t n_shown)
{
	_cleanup_free_ size_t *width = xcalloc(n_columns, sizeof *width);

	for (size_t i = 0; i < n * n_columns; i++) {
		size_t w = cell_width(cells[i]);

		if (w > width[i % n_columns])
			width[i % n_columns] = w;
	}
	for (size_t i = 0; i < n; i++)
		print_row(f, cells + i * n_columns, width, n_shown);
}

void table_print(FILE *f, const char *const *cells, size_t n, size_t n_columns)
{
	table_print_some(f, cells, n, n_columns, n_columns);
}

int64_t time_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#define MINUTE 60LL
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)
#define MONTH (30 * DAY)
#define YEAR (12 * MONTH)

char *time_humanized(int64_t ns, int64_t now_ns)
{
	/*
	 * The steps of the library that rkt prints times with; unit 0: there is nothing to count.
	 */
	static const struct {
		int64_t below, unit; /* seconds */
		const char *text;
	} steps[] = {
		{2, 0, "1 second"},    {MINUTE, 1, "seconds"},	 {2 * MINUTE, 0, "1 minute"},
		{HOUR, MINUTE, "minutes"}, {2 * HOUR, 0, "1 hour"},	 {DAY, HOUR, "hours"},
		{2 * DAY, 0, "1 day"}, {WEEK, DAY, "days"},	 {2 * WEEK, 0, "1 week"},
		{MONTH, WEEK, "weeks"}, {2 * MONTH, 0, "1 month"}, {YEAR, MONTH, "months"},
		{18 * MONTH, 0, "1 year"}, {2 * YEAR, 0, "2 years"}, {37 * YEAR, YEAR, "years"},
		{INT64_MAX, 0, "a long while"},
	};
	int64_t age = (now_ns - ns) / 1000000000;
	const char *side = age < 0 ? "from now" : "ago";
	size_t i = 0;

	if (!ns)
		return xstrdup("");
	if (age == 0)
		return xstrdup("now");
	if (age < 0)
		age = -age;
	while (age >= steps[i].below)
		i++;
	if (!steps[i].unit)
		return xasprintf("%s %s", steps[i].text, side);
	return xasprintf("%lld %s %s", (long long) (age / steps[i].unit), steps[i].text, side);
}

char *time_full(int64_t ns)
{
	time_t sec = ns / 1000000000;
	char date[64], zone[64], frac[8] = "";
	int ms = (int) (ns / 1000000 % 1000);
	struct tm tm;

	if (!ns)
		return xstrdup("");
	localtime_r(&sec, &tm);
	(void) strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
	(void) strftime(zone, sizeof zone, "%z %Z", &tm);
	/* Go's ".999": zeros at the end are left out. */
	if (ms) {
		(void) snprintf(frac, sizeof frac, ".%03d", ms);
		while (frac[strlen(frac) - 1] == '0')
			frac[strlen(frac) - 1] = '\0';
	}
	return xasprintf("%s%s %s", date, frac, zone);
}

char *size_iec(int64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double v = (double) bytes;
	size_t i = 0;

	for (; v >= 1024 && i + 1 < ELEMENTSOF(units); i++)
		v /= 1024;
	/* Rounded first: 9.96 is "10", not "10.0". */
	v = (double) (int64_t) (v * 10 + 0.5) / 10;
	return xasprintf("%.*f%s", i && v < 10, v, units[i]);
}
