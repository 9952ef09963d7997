#include "stage0/service/form.h"

#include <string.h>

#include "base/mem.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char) (c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Never longer than what it is made from. */
static char *decode(const char *s, size_t len, size_t *ret_len)
{
	char *out = xmalloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int high = s[i] == '%' && len - i > 2 ? digit(s[i + 1]) : -1;
		int low = high >= 0 ? digit(s[i + 2]) : -1;

		if (low >= 0) {
			out[n++] = (char) (high << 4 | low);
			i += 2;
		} else {
			out[n++] = s[i] == '+' ? ' ' : s[i];
		}
	}
	out[n] = '\0';
	*ret_len = n;
	return out;
}

char *form_get(const char *body, size_t len, const char *name, size_t *ret_len)
{
	const char *end = body + len;

	while (body < end) {
		const char *next = memchr(body, '&', (size_t) (end - body));
		const char *stop = next ? next : end;
		const char *is = memchr(body, '=', (size_t) (stop - body));
		size_t key_len;
		_cleanup_free_ char *key = decode(body, (size_t) ((is ? is : stop) - body),
						  &key_len);

		if (key_len == strlen(name) && !memcmp(key, name, key_len)) {
			is = is ? is + 1 : stop;
			return decode(is, (size_t) (stop - is), ret_len);
		}
		body = next ? next + 1 : end;
	}
	return NULL;
}
