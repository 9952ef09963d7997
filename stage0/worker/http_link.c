#include "stage0/worker/http_link.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* token or quoted-string (RFC 9110 section 5.6.4); *ret is owned by the caller. */
static const char *read_word(const char *p, char **ret)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t n;

	if (*p != '"') {
		n = strcspn(p, " \t;,");
		*ret = xstrndup(p, n);
		return p + n;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		strbuf_add(&sb, p, 1);
	}
	*ret = strbuf_take(&sb);
	return *p ? p + 1 : p;
}

/* Relations are words with spaces between them, in any case. */
static bool has_relation(const char *list, const char *relation)
{
	size_t len = strlen(relation);

	for (const char *p = skip_space(list); *p; p = skip_space(p + strcspn(p, " \t")))
		if (strcspn(p, " \t") == len && !strncasecmp(p, relation, len))
			return true;
	return false;
}

/* ;NAME=VALUE... up to the next link; of several `rel` the first counts (section 3.3). */
static const char *read_parameters(const char *p, bool *ret_next)
{
	bool seen = false;

	*ret_next = false;
	for (p = skip_space(p); *p == ';'; p = skip_space(p)) {
		_cleanup_free_ char *name = NULL, *value = NULL;
		size_t n;

		p = skip_space(p + 1);
		n = strcspn(p, " \t=;,");
		name = xstrndup(p, n);
		p = skip_space(p + n);
		if (*p == '=')
			p = read_word(skip_space(p + 1), &value);
		if (strcasecmp(name, "rel") || seen)
			continue;
		seen = true;
		*ret_next = value && has_relation(value, "next");
	}
	return p;
}

char *http_link_next(const char *value)
{
	const char *p = skip_space(value);

	while (*p == '<') {
		const char *target = p + 1;
		size_t len = strcspn(target, ">");
		bool next;

		if (!target[len])
			return NULL;
		p = read_parameters(target + len + 1, &next);
		if (next)
			return len ? xstrndup(target, len) : NULL;
		/* Empty elements of a list are none. */
		p += strspn(p, ", \t");
	}
	return NULL;
}
