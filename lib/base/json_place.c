/*
 * From a path to a place in the text.  The text is known to be JSON: nothing is checked again, and
 * the depth is bounded (json_scan.c).
 */
#include "base/json_place.h"

#include <string.h>

#include "base/json.h"

struct cursor {
	const char *p, *end;
};

void json_position(const char *text, const char *p, size_t *ret_line, size_t *ret_column)
{
	size_t line = 1, column = 1;

	for (; text < p; text++) {
		column = *text == '\n' ? 1 : column + 1;
		line += *text == '\n';
	}
	*ret_line = line;
	*ret_column = column;
}

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && strchr(" \t\r\n", *c->p) && *c->p)
		c->p++;
}

static void skip_string(struct cursor *c)
{
	for (c->p++; c->p < c->end && *c->p != '"'; c->p++)
		c->p += *c->p == '\\';
	c->p++;
}

/* Whatever it is, brackets and all. */
static void skip_value(struct cursor *c)
{
	int depth = 0;

	do {
		skip_space(c);
		if (c->p >= c->end)
			return;
		if (*c->p == '"') {
			skip_string(c);
			continue;
		}
		if (strchr("{[", *c->p)) {
			depth++;
			c->p++;
		} else if (strchr("}]", *c->p)) {
			depth--;
			c->p++;
		} else if (strchr(",:", *c->p)) {
			c->p++;
		} else {
			while (c->p < c->end && !strchr(" \t\r\n,:{}[]\"", *c->p))
				c->p++;
		}
	} while (depth > 0);
}

/* The string at `p` as cJSON reads it, without a parser of our own for escapes. */
static bool is_key(const struct cursor *from, const char *key)
{
	struct cursor c = *from;
	size_t len;

	skip_string(&c);
	len = (size_t) (c.p - from->p);
	if (!memchr(from->p, '\\', len))
		return len - 2 == strlen(key) && !memcmp(from->p + 1, key, len - 2);
	cJSON *j = cJSON_ParseWithLength(from->p, len);
	bool same = cJSON_IsString(j) && !strcmp(j->valuestring, key);

	cJSON_Delete(j);
	return same;
}

/* Into the object or array at the cursor, to the member or element; false: it is not there. */
static bool enter(struct cursor *c, const struct json_at *at)
{
	char open;
	size_t i = 0;

	skip_space(c);
	open = c->p < c->end ? *c->p : '\0';
	if (open != (at->key ? '{' : '['))
		return false;
	c->p++;
	for (;; i++) {
		bool found = !at->key && i == at->index;

		skip_space(c);
		if (c->p >= c->end || *c->p == '}' || *c->p == ']')
			return false;
		if (at->key) {
			found = is_key(c, at->key);
			skip_string(c);
			skip_space(c);
			c->p++; /* the colon */
			skip_space(c);
		}
		if (found)
			return true;
		skip_value(c);
		skip_space(c);
		if (c->p < c->end && *c->p == ',')
			c->p++;
	}
}

const char *json_place(const char *text, size_t len, const struct json_at *at)
{
	struct cursor c = {text, text + len}, inside;

	if (!at) {
		skip_space(&c);
		return c.p;
	}
	c.p = json_place(text, len, at->up);
	inside = c;
	return enter(&inside, at) ? inside.p : c.p;
}
