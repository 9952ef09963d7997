/* cJSON's functions for static programs: from text to tree and back.  See cjson.c. */
#include <cjson/cJSON.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define NUMBER_MAX 63 /* what the library reads of one */

/* --- reading --- */

struct text {
	const char *p, *end;
	unsigned depth;
};

static bool parse_value(struct text *t, cJSON *j);

static bool take(struct text *t, char c)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
		t->p++;
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static bool parse_word(struct text *t, cJSON *j, const char *word, int type)
{
	size_t n = strlen(word);

	if ((size_t) (t->end - t->p) < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	j->type = type;
	j->valueint = type == cJSON_True;
	return true;
}

static bool parse_number(struct text *t, cJSON *j)
{
	char copy[NUMBER_MAX + 1], *end;
	size_t n = 0;

	while (n < NUMBER_MAX && t->p + n < t->end && t->p[n] && strchr("0123456789+-.eE", t->p[n])) {
		copy[n] = t->p[n];
		n++;
	}
	copy[n] = '\0';
	j->type = cJSON_Number;
	(void) cJSON_SetNumberHelper(j, strtod(copy, &end));
	t->p += end - copy;
	return end > copy;
}

static bool hex4(struct text *t, uint32_t *ret)
{
	*ret = 0;
	if (t->end - t->p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		char c = *t->p++;
		const char *d = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 32 : c) : NULL;

		if (!d)
			return false;
		*ret = *ret << 4 | (uint32_t) (d - digits);
	}
	return true;
}

/* Behind "\u": one character, of one or two escapes, in UTF-8. */
static bool parse_unicode(struct text *t, struct strbuf *sb)
{
	uint32_t v, low;

	if (!hex4(t, &v))
		return false;
	if (v >= 0xd800 && v <= 0xdfff) {
		if (v > 0xdbff || t->end - t->p < 6 || *t->p++ != '\\' || *t->p++ != 'u' || !hex4(t, &low) ||
		    low < 0xdc00 || low > 0xdfff)
			return false;
		v = 0x10000 + ((v & 0x3ff) << 10 | (low & 0x3ff));
	}
	if (v < 0x80) {
		strbuf_addc(sb, (char) v);
		return true;
	}
	if (v < 0x800) {
		strbuf_addc(sb, (char) (0xc0 | v >> 6));
	} else {
		if (v < 0x10000) {
			strbuf_addc(sb, (char) (0xe0 | v >> 12));
		} else {
			strbuf_addc(sb, (char) (0xf0 | v >> 18));
			strbuf_addc(sb, (char) (0x80 | (v >> 12 & 0x3f)));
		}
		strbuf_addc(sb, (char) (0x80 | (v >> 6 & 0x3f)));
	}
	strbuf_addc(sb, (char) (0x80 | (v & 0x3f)));
	return true;
}

static bool parse_escape(struct text *t, struct strbuf *sb)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (t->p == t->end)
		return false;
	if (*t->p == 'u') {
		t->p++;
		return parse_unicode(t, sb);
	}
	at = *t->p ? strchr(escapes, *t->p) : NULL;
	if (!at)
		return false;
	strbuf_addc(sb, meant[at - escapes]);
	t->p++;
	return true;
}

/* NULL: not a string.  The opening quote is still ahead. */
static char *parse_text(struct text *t)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	if (!take(t, '"'))
		return NULL;
	for (;;) {
		const char *from = t->p;

		while (t->p < t->end && *t->p != '"' && *t->p != '\\')
			t->p++;
		strbuf_add(&sb, from, (size_t) (t->p - from));
		if (t->p == t->end)
			return NULL;
		if (*t->p++ == '"')
			return strbuf_take(&sb);
		if (!parse_escape(t, &sb))
			return NULL;
	}
}

/* Behind the opening bracket.  What was read belongs to j, also if the rest cannot be. */
static bool parse_members(struct text *t, cJSON *j, char close)
{
	bool ok = false;

	j->type = close == '}' ? cJSON_Object : cJSON_Array;
	if (++t->depth > CJSON_NESTING_LIMIT)
		return false;
	if (take(t, close)) {
		t->depth--;
		return true;
	}
	do {
		cJSON *c = xcalloc(1, sizeof *c);

		(void) cJSON_AddItemToArray(j, c);
		if (close == '}') {
			c->string = parse_text(t);
			if (!c->string || !take(t, ':'))
				return false;
		}
		ok = parse_value(t, c);
	} while (ok && take(t, ','));
	t->depth--;
	return ok && take(t, close);
}

static bool parse_value(struct text *t, cJSON *j)
{
	if (take(t, '{'))
		return parse_members(t, j, '}');
	if (take(t, '['))
		return parse_members(t, j, ']');
	if (t->p == t->end)
		return false;
	switch (*t->p) {
	case '"':
		j->type = cJSON_String;
		j->valuestring = parse_text(t);
		return j->valuestring;
	case 't':
		return parse_word(t, j, "true", cJSON_True);
	case 'f':
		return parse_word(t, j, "false", cJSON_False);
	case 'n':
		return parse_word(t, j, "null", cJSON_NULL);
	default:
		return parse_number(t, j);
	}
}

cJSON *cJSON_ParseWithLength(const char *text, size_t len)
{
	struct text t = {.p = text, .end = text + len};
	cJSON *j = xcalloc(1, sizeof *j);

	if (parse_value(&t, j))
		return j;
	cJSON_Delete(j);
	return NULL;
}

/* --- printing --- */

static void print_number(struct strbuf *sb, double v)
{
	char text[32];
	double again, larger;

	if (isnan(v) || isinf(v)) {
		strbuf_add(sb, "null", 4);
		return;
	}
	/* Short, where that is read as (nearly) the same again. */
	(void) snprintf(text, sizeof text, "%1.15g", v);
	again = strtod(text, NULL);
	larger = fabs(again) > fabs(v) ? fabs(again) : fabs(v);
	if (fabs(again - v) > larger * DBL_EPSILON)
		(void) snprintf(text, sizeof text, "%1.17g", v);
	strbuf_add(sb, text, strlen(text));
}

static void print_text(struct strbuf *sb, const char *p)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

	strbuf_addc(sb, '"');
	for (; p && *p; p++) {
		const char *at = strchr(special, *p);

		if (at) {
			strbuf_addc(sb, '\\');
			strbuf_addc(sb, letters[at - special]);
		} else if ((unsigned char) *p < 0x20) {
			strbuf_addf(sb, "\\u%04x", *p);
		} else {
			strbuf_addc(sb, *p);
		}
	}
	strbuf_addc(sb, '"');
}

static void indent(struct strbuf *sb, unsigned n)
{
	while (n--)
		strbuf_addc(sb, '\t');
}

static void print_value(struct strbuf *sb, const cJSON *j, bool pretty, unsigned depth);

static void print_array(struct strbuf *sb, const cJSON *j, bool pretty, unsigned depth)
{
	strbuf_addc(sb, '[');
	for (const cJSON *c = j->child; c; c = c->next) {
		print_value(sb, c, pretty, depth + 1);
		if (c->next)
			strbuf_add(sb, ", ", pretty ? 2 : 1);
	}
	strbuf_addc(sb, ']');
}

static void print_object(struct strbuf *sb, const cJSON *j, bool pretty, unsigned depth)
{
	strbuf_add(sb, "{\n", pretty ? 2 : 1);
	for (const cJSON *c = j->child; c; c = c->next) {
		indent(sb, pretty ? depth + 1 : 0);
		print_text(sb, c->string);
		strbuf_add(sb, ":\t", pretty ? 2 : 1);
		print_value(sb, c, pretty, depth + 1);
		if (c->next)
			strbuf_addc(sb, ',');
		if (pretty)
			strbuf_addc(sb, '\n');
	}
	indent(sb, pretty ? depth : 0);
	strbuf_addc(sb, '}');
}

static void print_value(struct strbuf *sb, const cJSON *j, bool pretty, unsigned depth)
{
	switch (j->type & 0xff) {
	case cJSON_Object:
		print_object(sb, j, pretty, depth);
		break;
	case cJSON_Array:
		print_array(sb, j, pretty, depth);
		break;
	case cJSON_String:
		print_text(sb, j->valuestring);
		break;
	case cJSON_Number:
		print_number(sb, j->valuedouble);
		break;
	case cJSON_Raw:
		strbuf_add(sb, j->valuestring, strlen(j->valuestring));
		break;
	case cJSON_True:
		strbuf_add(sb, "true", 4);
		break;
	case cJSON_False:
		strbuf_add(sb, "false", 5);
		break;
	default:
		strbuf_add(sb, "null", 4);
	}
}

char *cJSON_Print(const cJSON *j)
{
	struct strbuf sb = STRBUF_INIT;

	print_value(&sb, j, true, 0);
	return strbuf_take(&sb);
}

char *cJSON_PrintUnformatted(const cJSON *j)
{
	struct strbuf sb = STRBUF_INIT;

	print_value(&sb, j, false, 0);
	return strbuf_take(&sb);
}
