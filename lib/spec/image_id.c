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
	if (str_starts(s, TREE_ID_LAYER)) {
		s += strlen(TREE_ID_LAYER);
		if (strlen(s) != LAYER_HEX_LEN || s[hex_len(s)])
			return "the id of a layer's tree has 64 lower-case hex digits";
		return NULL;
	}
	if (str_starts(s, TREE_ID_ATTRS))
		s += strlen(TREE_ID_ATTRS);
	else if (str_starts(s, TREE_ID_RENDERED))
		s += strlen(TREE_ID_RENDERED);
	return image_id_check(s);
}

char **tree_ids_parse(const char *text, const char **ret_why)
{
	_cleanup_strv_ char **ids = strv_split(text, '\n');
	size_t n = strv_len(ids);

	*ret_why = n > TREE_STACK_MAX ? "more trees than overlayfs can stack" : NULL;
	for (size_t i = 0; !*ret_why && i < n; i++)
		*ret_why = tree_id_check(ids[i]);
	return *ret_why ? NULL : take_ptr(ids);
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
