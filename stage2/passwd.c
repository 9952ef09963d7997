#include "stage2/passwd.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* The third field of a line, as a number. */
static int parse_id(const char *line, size_t len, uid_t *ret)
{
	const char *end = line + len, *field = memchr(line, ':', len), *field_end;
	char digits[16];

	/* Behind the name, then behind the password. */
	for (int i = 0; i < 2 && field; i++)
		field = i == 0 ? memchr(field + 1, ':', (size_t) (end - field - 1)) : field + 1;
	if (!field)
		return -EINVAL;
	field_end = memchr(field, ':', (size_t) (end - field));
	if (!field_end)
		field_end = end;
	if ((size_t) (field_end - field) >= sizeof digits)
		return -EINVAL;
	memcpy(digits, field, (size_t) (field_end - field));
	digits[field_end - field] = '\0';
	return parse_uid(digits, ret) < 0 ? -EINVAL : 0;
}

int passwd_find(const char *text, size_t len, const char *name, uid_t *ret)
{
	const char *end = text + len;
	size_t name_len = strlen(name);

	if (!name_len || strpbrk(name, ":\n"))
		return -ENOENT;
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t) (end - text));
		size_t line_len = (size_t) ((eol ? eol : end) - text);

		if (line_len > name_len && text[name_len] == ':' && !memcmp(text, name, name_len))
			return parse_id(text, line_len, ret);
		text += line_len + 1;
	}
	return -ENOENT;
}
