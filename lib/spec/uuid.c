#include "spec/uuid.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The positions of the hyphens in 8-4-4-4-12. */
static bool is_hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void uuid_new(char out[UUID_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char b[16];
	size_t nibble = 0;

	/* random(7): up to 256 bytes are never cut short once the pool is initialised; before that a
	 * signal may interrupt the wait. */
	while (getrandom(b, sizeof b, 0) != (ssize_t) sizeof b)
		if (errno != EINTR)
			abort();
	/* RFC 4122 section 4.4: version 4, variant 10. */
	b[6] = (unsigned char) ((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char) ((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < UUID_LEN; i++) {
		if (is_hyphen_at(i)) {
			out[i] = '-';
			continue;
		}
		out[i] = hex[nibble % 2 ? b[nibble / 2] & 0xf : b[nibble / 2] >> 4];
		nibble++;
	}
	out[UUID_LEN] = '\0';
}

const char *uuid_check(const char *s)
{
	static const char bad[] = "not a UUID in lower case";

	if (strlen(s) != UUID_LEN)
		return bad;
	for (size_t i = 0; i < UUID_LEN; i++)
		if (is_hyphen_at(i) ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return bad;
	if (s[14] != '4' || !strchr("89ab", s[19]))
		return "not a version 4 UUID";
	return NULL;
}
