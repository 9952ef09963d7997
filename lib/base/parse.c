#include "base/parse.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

int parse_u64(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
			return -ERANGE;
	}
	if (v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool neg = *s == '-';
	uint64_t u;
	int64_t v;
	int r;

	r = parse_u64(s + neg, INT64_MAX, &u);
	if (r < 0)
		return r;
	v = neg ? -(int64_t) u : (int64_t) u;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_uid(const char *s, uid_t *ret)
{
	uint64_t v;
	int r = parse_u64(s, UINT32_MAX - 1, &v);

	if (r < 0)
		return r;
	*ret = (uid_t) v;
	return 0;
}

int parse_pid(const char *s, pid_t *ret)
{
	uint64_t v;
	int r = parse_u64(s, INT32_MAX, &v);

	if (r < 0)
		return r;
	if (v == 0)
		return -EINVAL;
	*ret = (pid_t) v;
	return 0;
}

int parse_mode(const char *s, mode_t *ret)
{
	unsigned v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return -EINVAL;
		v = v * 8 + (unsigned) (*s - '0');
		if (v > 07777)
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

int parse_bool(const char *s, bool *ret)
{
	/* The words of Go's strconv.ParseBool, which rkt's flags and volumes are read with. */
	static const char *const words[2][6] = {
		{"0", "f", "F", "false", "FALSE", "False"},
		{"1", "t", "T", "true", "TRUE", "True"},
	};

	for (size_t value = 0; value < 2; value++) {
		for (size_t i = 0; i < ELEMENTSOF(words[value]); i++) {
			if (!strcmp(s, words[value][i])) {
				*ret = value;
				return 0;
			}
		}
	}
	return -EINVAL;
}

/* One "12.5unit" of a duration; moves *s behind it. */
static int parse_duration_term(const char **s, int64_t *ret_ns)
{
	/* "ms" before "m": the longest unit that fits wins. */
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
		{"ns", 1},	    {"us", 1000},	{"ms", 1000000},
		{"s", 1000000000},  {"m", 60000000000}, {"h", 3600000000000},
	};
	const char *p = *s;
	int64_t whole = 0, frac = 0, scale = 1, v;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole))
			return -ERANGE;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++) {
			if (scale >= 1000000000)
				continue;
			frac = frac * 10 + (*p - '0');
			scale *= 10;
		}
	}
	for (size_t i = 0; i < ELEMENTSOF(units); i++) {
		size_t len = strlen(units[i].unit);

		if (strncmp(p, units[i].unit, len))
			continue;
		if (__builtin_mul_overflow(whole, units[i].ns, &v) ||
		    __builtin_add_overflow(v, (int64_t) ((__int128) frac * units[i].ns / scale), &v))
			return -ERANGE;
		*ret_ns = v;
		*s = p + len;
		return 0;
	}
	return -EINVAL;
}

int parse_duration(const char *s, int64_t *ret_ns)
{
	bool neg = *s == '-';
	int64_t sum = 0, ns;
	int r;

	s += neg;
	if (!strcmp(s, "0")) {
		*ret_ns = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		r = parse_duration_term(&s, &ns);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(sum, ns, &sum))
			return -ERANGE;
	}
	*ret_ns = neg ? -sum : sum;
	return 0;
}
