/*
 * The scanner in front of cJSON: RFC 8259, without recursion, plus what we demand beyond it (UTF-8
 * without NUL, no duplicate member, bounded depth).  It accepts exactly the documents that have one meaning.
 */
#include "base/json_scan.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/json_place.h"
#include "base/str.h"

struct scan {
	const char *text, *p, *end;
	const char *why; /* what is wrong at p */
	char stack[JSON_DEPTH_MAX];
	int depth;
};

static bool fail(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool hex4(struct scan *s, unsigned *v)
{
	*v = 0;
	if (s->end - s->p < 4)
		return fail(s, "truncated \\u escape");
	for (int i = 0; i < 4; i++) {
		char c = *s->p++;
		unsigned d;

		if (c >= '0' && c <= '9')
			d = (unsigned) (c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			d = (unsigned) ((c | 32) - 'a') + 10;
		else
			return fail(s, "bad \\u escape");
		*v = *v * 16 + d;
	}
	return true;
}

static bool scan_unicode_escape(struct scan *s)
{
	unsigned v;

	if (!hex4(s, &v))
		return false;
	if (v == 0)
		return fail(s, "NUL character in string");
	if (v >= 0xdc00 && v <= 0xdfff)
		return fail(s, "lone surrogate in string");
	if (v >= 0xd800 && v <= 0xdbff) {
		if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
			return fail(s, "lone surrogate in string");
		s->p += 2;
		if (!hex4(s, &v))
			return false;
		if (v < 0xdc00 || v > 0xdfff)
			return fail(s, "lone surrogate in string");
	}
	return true;
}

static bool scan_string(struct scan *s)
{
	s->p++;
	while (s->p < s->end) {
		unsigned char c = (unsigned char) *s->p++;

		if (c == '"')
			return true;
		if (c < 0x20)
			return fail(s, "control character in string");
		if (c != '\\')
			continue;
		if (s->p == s->end)
			break;
		c = (unsigned char) *s->p++;
		if (c == 'u') {
			if (!scan_unicode_escape(s))
				return false;
		} else if (!memchr("\"\\/bfnrt", c, 8)) {
			return fail(s, "bad escape in string");
		}
	}
	return fail(s, "string is not closed");
}

static bool digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > from || fail(s, "digit expected");
}

/* cJSON reads a number through a buffer of 64 bytes and stops in the middle of a longer one. */
#define NUMBER_MAX 60

static bool scan_number(struct scan *s)
{
	const char *from = s->p;

	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!digits(s))
		return false;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!digits(s))
			return false;
	}
	if (s->p < s->end && (*s->p | 32) == 'e') {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!digits(s))
			return false;
	}
	return s->p - from <= NUMBER_MAX || fail(s, "number has too many digits");
}

static bool scan_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t) (s->end - s->p) >= n && !memcmp(s->p, words[i], n)) {
			s->p += n;
			return true;
		}
	}
	return fail(s, "value expected");
}

/* A member's name and the colon. */
static bool scan_key(struct scan *s)
{
	skip_space(s);
	if (s->p == s->end || *s->p != '"')
		return fail(s, "member name expected");
	if (!scan_string(s))
		return false;
	skip_space(s);
	if (s->p == s->end || *s->p != ':')
		return fail(s, "colon expected");
	s->p++;
	return true;
}

/* Opens an object or array. *complete: it was empty and is closed again. */
static bool scan_open(struct scan *s, bool *complete)
{
	char close = *s->p == '{' ? '}' : ']';

	if (s->depth == JSON_DEPTH_MAX)
		return fail(s, "nested too deeply");
	s->p++;
	skip_space(s);
	*complete = s->p < s->end && *s->p == close;
	if (*complete) {
		s->p++;
		return true;
	}
	s->stack[s->depth++] = close;
	return close == ']' || scan_key(s);
}

/* After a value: commas and closing brackets, up to where the next value starts or the document ends. */
static bool scan_after_value(struct scan *s)
{
	while (s->depth) {
		char close = s->stack[s->depth - 1];

		skip_space(s);
		if (s->p == s->end)
			return fail(s, "document is not complete");
		if (*s->p == ',') {
			s->p++;
			return close == ']' || scan_key(s);
		}
		if (*s->p != close)
			return fail(s, close == '}' ? "comma or } expected" : "comma or ] expected");
		s->p++;
		s->depth--;
	}
	return true;
}

static bool scan_value(struct scan *s, bool *opened)
{
	bool complete = true, ok;

	skip_space(s);
	if (s->p == s->end)
		return fail(s, "value expected");
	switch (*s->p) {
	case '{':
	case '[':
		ok = scan_open(s, &complete);
		break;
	case '"':
		ok = scan_string(s);
		break;
	case '-':
	case '0' ... '9':
		ok = scan_number(s);
		break;
	default:
		ok = scan_word(s);
	}
	*opened = ok && !complete;
	return ok;
}

static bool scan_document(struct scan *s)
{
	bool opened;

	do {
		if (!scan_value(s, &opened))
			return false;
		if (!opened && !scan_after_value(s))
			return false;
	} while (s->depth);
	skip_space(s);
	return s->p == s->end || fail(s, "text after the document");
}

/* The first byte that belongs to no character. */
static const char *not_utf8(const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	while (p < end) {
		size_t n = 1;

		while (n <= 4 && n <= (size_t) (end - p) && !str_is_utf8(p, n))
			n++;
		if (n > 4 || n > (size_t) (end - p))
			break;
		p += n;
	}
	return p;
}

int json_scan(const char *text, size_t len, struct err *e)
{
	struct scan s = {.text = text, .p = text, .end = text + len};
	size_t line, column;

	if (!str_is_utf8(text, len)) {
		s.p = not_utf8(text, len);
		s.why = "not valid UTF-8";
	} else if (scan_document(&s)) {
		return 0;
	}
	json_position(text, s.p, &line, &column);
	return err_set(e, EINVAL, "JSON: line %zu, column %zu: %s", line, column, s.why);
}
