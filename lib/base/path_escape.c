#include "base/path_escape.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

static bool is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '\\';
}

char *path_escape(const char *path)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (; *path; path++)
		if (is_plain((unsigned char) *path))
			strbuf_addc(&sb, *path);
		else
			strbuf_addf(&sb, "\\%03o", (unsigned char) *path);
	return strbuf_take(&sb);
}

static int octal(const char *p)
{
	int n = 0;

	for (int i = 0; i < 3; i++, p++) {
		if (*p < '0' || *p > '7')
			return -1;
		n = n * 8 + (*p - '0');
	}
	return n > 0 && n < 256 ? n : -1;
}

char *path_unescape(const char *text)
{
	char *ret = xmalloc(strlen(text) + 1), *out = ret;

	while (*text) {
		int c = *text == '\\' ? octal(text + 1) : (unsigned char) *text;

		if (c < 0 || (*text != '\\' && !is_plain((unsigned char) c))) {
			free(ret);
			return NULL;
		}
		text += *text == '\\' ? 4 : 1;
		*out++ = (char) c;
	}
	*out = '\0';
	return ret;
}
