/*
 * Quantities: digits with at most one decimal point, and a suffix.  Finer than a thousandth is rounded
 * up, as Kubernetes does: a limit is never tighter than what was written, and never silently 0.
 */
#include <errno.h>
#include <string.h>

#include "spec/isolator.h"

/* 10^17 of fraction times 1000 * 2^60 (Ei in thousandths) stays below 2^128. */
typedef unsigned __int128 wide;
#define FRACTION_MAX ((wide) 100000000 * 1000000000)

/* The suffix's factor, in thousandths; 0 for an unknown one. */
static wide factor_milli(const char *suffix)
{
	static const char decimal[] = "KMGTPE";
	const char *p;
	wide f = 1000;

	if (!*suffix)
		return f;
	if (!strcmp(suffix, "m"))
		return 1;
	if (!strcmp(suffix, "k"))
		return f * 1000;
	p = strchr(decimal, *suffix);
	if (!p || (suffix[1] && strcmp(suffix + 1, "i")))
		return 0;
	for (long i = 0; i <= p - decimal; i++)
		f *= suffix[1] ? 1024 : 1000;
	return f;
}

int quantity_parse(const char *s, int64_t *ret_milli)
{
	wide whole = 0, frac = 0, scale = 1, f;
	bool digits = false, more = false;

	for (; *s >= '0' && *s <= '9'; s++, digits = true)
		if (whole <= INT64_MAX)
			whole = whole * 10 + (unsigned) (*s - '0');
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++, digits = true) {
			if (scale == FRACTION_MAX) {
				more = more || *s != '0';
				continue;
			}
			frac = frac * 10 + (unsigned) (*s - '0');
			scale *= 10;
		}
	}
	f = digits ? factor_milli(s) : 0;
	if (!f)
		return -EINVAL;
	if (whole > (wide) INT64_MAX / f)
		return -ERANGE;
	whole = whole * f + ((frac + more) * f + scale - 1) / scale;
	if (whole > INT64_MAX)
		return -ERANGE;
	*ret_milli = (int64_t) whole;
	return 0;
}
