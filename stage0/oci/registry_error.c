#include "stage0/oci/registry_error.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define BODY_MAX (64u << 10)
#define TEXT_MAX 400 /* bytes of one line that somebody shall read */
#define ERRORS_MAX 3

/* One line, escaped and cut: it goes to a terminal. */
static void add_line(struct strbuf *sb, const char *text)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	_cleanup_free_ char *shown = NULL;
	size_t n = strlen(text);

	for (size_t i = 0; i < n && line.len < TEXT_MAX; i++) {
		bool space = isspace((unsigned char) text[i]);

		if (!space || (line.len && line.buf[line.len - 1] != ' '))
			strbuf_addc(&line, space ? ' ' : text[i]);
	}
	while (line.len && line.buf[line.len - 1] == ' ')
		line.buf[--line.len] = '\0';
	if (!line.len)
		return;
	shown = str_escape(line.buf, line.len);
	strbuf_adds(sb, shown);
	if (n > TEXT_MAX)
		strbuf_adds(sb, "...");
}

/* {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": ...} */
static void add_error(struct strbuf *sb, const cJSON *one)
{
	const char *code = json_get_str(one, "code"), *message = json_get_str(one, "message");
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT;

	if (!code && !message)
		return;
	if (sb->len)
		strbuf_adds(sb, "; ");
	for (const char *p = code; p && *p; p++)
		strbuf_addc(&word, (char) tolower((unsigned char) *p));
	if (word.len)
		add_line(sb, word.buf);
	if (word.len && message && *message)
		strbuf_adds(sb, ": ");
	if (message)
		add_line(sb, message);
}

/* Also what token servers send: {"details": "incorrect username or password"}, {"error": ..., "error_description"}. */
static void add_other(struct strbuf *sb, const cJSON *doc)
{
	static const char *const keys[] = {"details", "message", "error_description", "error"};

	for (size_t i = 0; i < ELEMENTSOF(keys) && !sb->len; i++) {
		const char *text = json_get_str(doc, keys[i]);

		if (text)
			add_line(sb, text);
	}
}

char *registry_error_text(const char *body, size_t len)
{
	_cleanup_json_ cJSON *doc = len ? json_parse(body, len, BODY_MAX, NULL) : NULL;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	const cJSON *errors = cJSON_IsObject(doc) ? json_get(doc, "errors") : NULL, *one;
	unsigned n = 0;

	if (cJSON_IsArray(errors))
		cJSON_ArrayForEach (one, errors)
			if (n++ < ERRORS_MAX)
				add_error(&sb, one);
	if (cJSON_IsObject(doc) && !sb.len)
		add_other(&sb, doc);
	/* A line of text says something; a page of HTML, or what is cut, does not. */
	if (!doc && len && !memchr(body, '<', len) && !memchr(body, '\0', len) && len < TEXT_MAX && *body != '{') {
		_cleanup_free_ char *text = xstrndup(body, len);

		add_line(&sb, text);
	}
	return sb.len ? strbuf_take(&sb) : NULL;
}
