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

void table_print(FILE *f, const char *const *cells, size_t n, size_t n_columns)
{
	_cleanup_free_ size_t *width = xcalloc(n_columns, sizeof *width);

	for (size_t i = 0; i < n * n_columns; i++) {
		size_t w = cell_width(cells[i]);

		if (w > width[i % n_columns])
			width[i % n_columns] = w;
	}
	for (size_t i = 0; i < n * n_columns; i++) {
		size_t column = i % n_columns, full = (width[column] + 1 + TAB - 1) / TAB * TAB;

		fputs(cells[i] ? cells[i] : "", f);
		if (column + 1 == n_columns) {
			fputc('\n', f);
			continue;
		}
		for (size_t at = cell_width(cells[i]); at < full; at = at / TAB * TAB + TAB)
			fputc('\t', f);
	}
}

int64_t time_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}

char *time_humanized(int64_t ns, int64_t now_ns)
{
	static const struct {
		int64_t below, unit; /* seconds */
		const char *one, *many;
	} steps[] = {
		{60, 1, "1 second", "seconds"},
		{3600, 60, "1 minute", "minutes"},
		{86400, 3600, "1 hour", "hours"},
		{7 * 86400, 86400, "1 day", "days"},
		{30 * 86400, 7 * 86400, "1 week", "weeks"},
		{365 * 86400, 30 * 86400, "1 month", "months"},
		{INT64_MAX, 365 * 86400, "1 year", "years"},
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
	if (age / steps[i].unit == 1)
		return xasprintf("%s %s", steps[i].one, side);
	return xasprintf("%lld %s %s", (long long) (age / steps[i].unit), steps[i].many, side);
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
	return xasprintf("%.*f%s", i && v < 10, v, units[i]);
}
