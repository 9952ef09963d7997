#include "spec/ac_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words of lower-case letters and digits, joined by single characters of `joints`. */
static const char *check_words(const char *s, const char *joints)
{
	bool after_word = false;

	if (!*s)
		return "must not be empty";
	for (; *s; s++) {
		if (is_lower_alnum(*s)) {
			after_word = true;
			continue;
		}
		if (*s >= 'A' && *s <= 'Z')
			return "upper case is not allowed";
		if (!strchr(joints, *s))
			return "has a character that is not allowed";
		if (!after_word)
			return "must begin, and go on after each separator, with a letter or digit";
		after_word = false;
	}
	return after_word ? NULL : "must end with a letter or digit";
}

const char *ac_name_check(const char *s)
{
	return check_words(s, "-");
}

const char *ac_identifier_check(const char *s)
{
	return check_words(s, "-._~/");
}

const char *ac_env_name_check(const char *s)
{
	if (!*s)
		return "must not be empty";
	if (!is_alpha(*s) && *s != '_')
		return "must begin with a letter or underscore";
	while (*++s)
		if (!is_alpha(*s) && !is_digit(*s) && !strchr("_.-", *s))
			return "has a character that is not allowed";
	return NULL;
}

/* A number without leading zeros; returns its end, or NULL. */
static const char *semver_number(const char *s)
{
	const char *p = s;

	while (is_digit(*p))
		p++;
	return p == s || (*s == '0' && p - s > 1) ? NULL : p;
}

/*
 * Dot-separated identifiers up to `end` or the end of the text.  SemVer 2.0 section 9: in a pre-release
 * a part of digits only has no leading zero; section 10 has no such rule for build metadata.
 */
static const char *semver_parts(const char *s, char end, bool strict_numbers)
{
	for (;;) {
		const char *from = s;
		bool number = true;

		for (; is_alpha(*s) || is_digit(*s) || *s == '-'; s++)
			number = number && is_digit(*s);
		if (s == from || (strict_numbers && number && *from == '0' && s - from > 1))
			return NULL;
		if (!*s || *s == end)
			return s;
		if (*s++ != '.')
			return NULL;
	}
}

const char *ac_version_check(const char *s)
{
	static const char bad[] = "not a SemVer 2.0 version";

	for (int i = 0; i < 3; i++) {
		s = semver_number(s);
		if (!s || (i < 2 && *s++ != '.'))
			return bad;
	}
	if (*s == '-') {
		s = semver_parts(s + 1, '+', true);
		if (!s)
			return bad;
	}
	if (*s == '+') {
		s = semver_parts(s + 1, '\0', false);
		if (!s)
			return bad;
	}
	return *s ? bad : NULL;
}

const char *ac_absolute_path_check(const char *s)
{
	return *s == '/' ? NULL : "not an absolute path";
}

char *ac_name_sanitize(const char *s)
{
	struct strbuf sb = STRBUF_INIT;
	bool joint = false;

	for (; *s; s++) {
		char c = *s >= 'A' && *s <= 'Z' ? (char) (*s - 'A' + 'a') : *s;

		if (!is_lower_alnum(c)) {
			joint = true;
			continue;
		}
		if (joint && sb.len)
			strbuf_addc(&sb, '-');
		joint = false;
		strbuf_addc(&sb, c);
	}
	return strbuf_take(&sb);
}
