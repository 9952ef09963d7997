#include "spec/well_known.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Two digits at s, or -1. */
static int two_digits(const char *s)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return -1;
	return (s[0] - '0') * 10 + (s[1] - '0');
}

static bool in_range(int v, int min, int max)
{
	return v >= min && v <= max;
}

static int days_in_month(int year, int month)
{
	static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* "2014-10-27": ten characters are there. */
static bool is_date(const char *s)
{
	int century = two_digits(s), year = two_digits(s + 2), month = two_digits(s + 5), day = two_digits(s + 8);

	if (century < 0 || year < 0 || s[4] != '-' || s[7] != '-' || !in_range(month, 1, 12))
		return false;
	return in_range(day, 1, days_in_month(century * 100 + year, month));
}

/* RFC 3339 section 5.6; second 60 is a leap second. */
static bool is_rfc3339(const char *s)
{
	size_t len = strlen(s);

	if (len < strlen("2014-10-27T19:32:27Z") || !is_date(s) || (s[10] | 32) != 't')
		return false;
	if (!in_range(two_digits(s + 11), 0, 23) || s[13] != ':' || !in_range(two_digits(s + 14), 0, 59) ||
	    s[16] != ':' || !in_range(two_digits(s + 17), 0, 60))
		return false;
	s += 19;
	if (*s == '.') {
		size_t n = strspn(s + 1, "0123456789");

		if (!n)
			return false;
		s += 1 + n;
	}
	if ((*s | 32) == 'z')
		return !s[1];
	return (*s == '+' || *s == '-') && strlen(s) == 6 && in_range(two_digits(s + 1), 0, 23) && s[3] == ':' &&
	       in_range(two_digits(s + 4), 0, 59);
}

static const char *check_created(const char *s)
{
	return is_rfc3339(s) ? NULL : "not a date and time as of RFC 3339";
}

static const char *check_url(const char *s)
{
	static const char bad[] = "not an http or https URL";
	const char *host = strstr(s, "://");

	if (!str_starts(s, "http://") && !str_starts(s, "https://"))
		return bad;
	host += 3;
	if (!*host || strchr("/?#", *host))
		return bad;
	/* RFC 3986 section 2: neither spaces nor controls, nor what tears HTML and shell words apart. */
	for (; *host; host++)
		if (*host <= ' ' || *host == 0x7f || strchr("\"<>\\^`{|}", *host))
			return bad;
	return NULL;
}

static const char *check_true_false(const char *s)
{
	return str_eq(s, "true") || str_eq(s, "false") ? NULL : "neither \"true\" nor \"false\"";
}

const char *well_known_annotation_check(const char *name, const char *value)
{
	static const struct {
		const char *name;
		const char *(*check)(const char *value);
	} known[] = {
		{"created", check_created},
		{"homepage", check_url},
		{"documentation", check_url},
		{"appc.io/executor/supports-systemd-notify", check_true_false},
	};

	for (size_t i = 0; i < ELEMENTSOF(known); i++)
		if (!strcmp(name, known[i].name))
			return known[i].check(value);
	return NULL;
}

const char *const *well_known_arches(const char *os)
{
	static const struct {
		const char *os;
		const char *arches[11];
	} known[] = {
		{"linux",
		 {"amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64", "ppc64le",
		  "s390x"}},
		{"freebsd", {"amd64", "i386", "arm"}},
		{"darwin", {"x86_64", "i386"}},
	};

	for (size_t i = 0; i < ELEMENTSOF(known); i++)
		if (!strcmp(os, known[i].os))
			return known[i].arches;
	return NULL;
}

const char *well_known_host_arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__i386__)
	return "i386";
#elif defined(__aarch64__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "aarch64_be" : "aarch64";
#elif defined(__arm__) && __ARM_ARCH == 6
	return "armv6l";
#elif defined(__arm__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "armv7b" : "armv7l";
#elif defined(__powerpc64__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "ppc64" : "ppc64le";
#elif defined(__s390x__)
	return "s390x";
#else
	return "unknown";
#endif
}
