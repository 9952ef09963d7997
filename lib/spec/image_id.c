#include "spec/image_id.h"

#include <string.h>

#include "base/str.h"

static size_t hex_len(const char *s)
{
	return strspn(s, "0123456789abcdef");
}

const char *image_id_check(const char *s)
{
	if (!str_starts(s, IMAGE_ID_PREFIX))
		return "an image id begins with sha512-";
	s += strlen(IMAGE_ID_PREFIX);
	if (strlen(s) != IMAGE_ID_LEN - strlen(IMAGE_ID_PREFIX) || s[hex_len(s)])
		return "an image id has 128 lower-case hex digits";
	return NULL;
}

const char *tree_id_check(const char *s)
{
	return image_id_check(str_starts(s, TREE_ID_RENDERED) ? s + strlen(TREE_ID_RENDERED) : s);
}

const char *image_id_prefix_check(const char *s)
{
	size_t n;

	if (!str_starts(s, IMAGE_ID_PREFIX))
		return "an image id begins with sha512-";
	s += strlen(IMAGE_ID_PREFIX);
	n = hex_len(s);
	if (s[n])
		return "an image id has lower-case hex digits";
	if (n < 2)
		return "image ID too short";
	if (n > IMAGE_ID_LEN - strlen(IMAGE_ID_PREFIX))
		return "image ID too long";
	return NULL;
}
