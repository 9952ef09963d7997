#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *text = xmalloc((len + 2) / 3 * 4 + 1), *out = text;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i;
		uint32_t bits = (uint32_t) in[i] << 16;

		if (n > 1)
			bits |= (uint32_t) in[i + 1] << 8;
		if (n > 2)
			bits |= in[i + 2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = n > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = n > 2 ? digits[bits & 63] : '=';
	}
	*out = '\0';
	return text;
}

static int value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int) (at - digits) : -1;
}

/* Four digits, the last `pad` of which are '='; what those would have held must be zero. */
static int decode_group(const char *text, unsigned pad, uint8_t *out)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		int v = i < 4 - pad ? value_of(text[i]) : 0;

		if (v < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t) v;
	}
	if (bits & ((1u << 8 * pad) - 1))
		return -EINVAL;
	out[0] = (uint8_t) (bits >> 16);
	if (pad < 2)
		out[1] = (uint8_t) (bits >> 8);
	if (pad < 1)
		out[2] = (uint8_t) bits;
	return 0;
}

int base64_decode(const char *text, char **ret, size_t *ret_len)
{
	size_t len = strlen(text), n = 0;
	_cleanup_free_ char *data = xmalloc(len / 4 * 3 + 1);

	if (len % 4)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 4) {
		unsigned pad = 0;

		if (i + 4 == len)
			pad = text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
		if (decode_group(text + i, pad, (uint8_t *) data + n) < 0)
			return -EINVAL;
		n += 3 - pad;
	}
	data[n] = '\0';
	*ret = take_ptr(data);
	*ret_len = n;
	return 0;
}
