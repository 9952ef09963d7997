#include "stage0/worker/yaml.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/parse.h"

/* One mapping or sequence that is open. */
struct level {
	bool mapping, want_key;
	size_t n;      /* elements so far */
	char **keys;   /* of a mapping */
	size_t n_keys;
};

struct convert {
	yaml_parser_t parser;
	struct strbuf *out;
	struct level levels[YAML_DEPTH_MAX + 1];
	size_t depth;
	size_t documents;
};

static int at(const yaml_mark_t *mark, struct err *e, const char *text)
{
	return err_set(e, EINVAL, "line %zu, column %zu: %s", mark->line + 1, mark->column + 1, text);
}

static struct level *top(struct convert *c)
{
	return c->depth ? &c->levels[c->depth - 1] : NULL;
}

/* --- output --- */

/* RFC 8259, section 7. */
static void put_string(struct strbuf *sb, const char *s, size_t len)
{
	strbuf_addc(sb, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char) s[i];

		if (ch == '"' || ch == '\\')
			strbuf_addc(sb, '\\');
		if (ch < ' ')
			strbuf_addf(sb, "\\u%04x", ch);
		else
			strbuf_addc(sb, s[i]);
	}
	strbuf_addc(sb, '"');
}

/* What stands between two values. */
static void put_separator(struct convert *c)
{
	struct level *l = top(c);

	if (!l)
		return;
	if (l->mapping && !l->want_key)
		strbuf_addc(c->out, ':');
	else if (l->n++)
		strbuf_addc(c->out, ',');
}

static void value_ended(struct convert *c)
{
	struct level *l = top(c);

	if (l && l->mapping)
		l->want_key = !l->want_key;
}

/* --- words --- */

static bool is_one_of(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(s, *words))
			return true;
	return false;
}

/* YAML 1.1: a leading 0 is octal. */
static bool whole_number(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	const char *digits = s + (negative || *s == '+');
	int base = 10;
	uint64_t v = 0;

	if (digits[0] == '0' && digits[1]) {
		bool hex = digits[1] == 'x', other = hex || digits[1] == 'o' || digits[1] == 'b';

		base = hex ? 16 : digits[1] == 'b' ? 2 : 8;
		digits += other ? 2 : 1;
	}
	if (!*digits || strlen(digits) > 22)
		return false;
	for (; *digits; digits++) {
		int d = *digits >= '0' && *digits <= '9' ? *digits - '0'
			: *digits >= 'a' && *digits <= 'f' ? *digits - 'a' + 10
			: *digits >= 'A' && *digits <= 'F' ? *digits - 'A' + 10 : 99;

		if (d >= base || v > (1ull << 53))
			return false;
		v = v * (uint64_t) base + (uint64_t) d;
	}
	if (v > (1ull << 53))
		return false;
	*ret = negative ? -(int64_t) v : (int64_t) v;
	return true;
}

static bool is_fraction(const char *s, double *ret)
{
	char *end;

	if (!s[strspn(s, "0123456789")] || s[strspn(s, "+-.0123456789eE")] || !strpbrk(s, "0123456789"))
		return false;
	*ret = strtod(s, &end);
	return !*end && isfinite(*ret);
}

/* As short as it was written: 0.1 is 0.1, where 17 digits would say 0.10000000000000001. */
static void put_fraction(struct strbuf *sb, double v)
{
	char text[32];

	(void) snprintf(text, sizeof text, "%.15g", v);
	if (strtod(text, NULL) != v)
		(void) snprintf(text, sizeof text, "%.17g", v);
	strbuf_adds(sb, text);
}

/* A plain scalar: what it means. */
static void put_plain(struct strbuf *sb, const char *s, size_t len)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", NULL};
	static const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", NULL};
	int64_t number;
	double fraction;

	if (is_one_of(s, nulls))
		strbuf_adds(sb, "null");
	else if (is_one_of(s, yes))
		strbuf_adds(sb, "true");
	else if (is_one_of(s, no))
		strbuf_adds(sb, "false");
	else if (whole_number(s, &number))
		strbuf_addf(sb, "%lld", (long long) number);
	else if (is_fraction(s, &fraction))
		put_fraction(sb, fraction);
	else
		put_string(sb, s, len);
}

/* Only the tag that says "a string after all". */
static int check_tag(const yaml_event_t *ev, struct err *e)
{
	const char *tag = (const char *) ev->data.scalar.tag;

	if (!tag || !strcmp(tag, "!") || !strcmp(tag, YAML_STR_TAG))
		return 0;
	return err_set(e, EINVAL, "line %zu, column %zu: tag %s", ev->start_mark.line + 1,
		       ev->start_mark.column + 1, q(tag));
}

static int put_key(struct convert *c, const yaml_event_t *ev, struct err *e)
{
	const char *key = (const char *) ev->data.scalar.value;
	struct level *l = top(c);

	if (!strcmp(key, "<<") && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return at(&ev->start_mark, e, "merge keys are not supported");
	for (size_t i = 0; i < l->n_keys; i++)
		if (!strcmp(l->keys[i], key))
			return err_set(e, EINVAL, "line %zu, column %zu: key %s is there twice",
				       ev->start_mark.line + 1, ev->start_mark.column + 1, q(key));
	strv_push_n(&l->keys, &l->n_keys, xstrdup(key));
	put_string(c->out, key, ev->data.scalar.length);
	return 0;
}

static int put_scalar(struct convert *c, const yaml_event_t *ev, struct err *e)
{
	const char *s = (const char *) ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct level *l = top(c);
	int r = check_tag(ev, e);

	if (r < 0)
		return r;
	if (ev->data.scalar.anchor)
		return at(&ev->start_mark, e, "anchors are not supported");
	if (strlen(s) != len)
		return at(&ev->start_mark, e, "NUL in a string");
	put_separator(c);
	if (l && l->mapping && l->want_key)
		r = put_key(c, ev, e);
	else if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !ev->data.scalar.tag)
		put_plain(c->out, s, len);
	else
		put_string(c->out, s, len);
	value_ended(c);
	return r;
}

/* --- structure --- */

static int open_level(struct convert *c, const yaml_event_t *ev, bool mapping, const yaml_char_t *anchor,
		      const yaml_char_t *tag, struct err *e)
{
	struct level *l = top(c);

	if (anchor)
		return at(&ev->start_mark, e, "anchors are not supported");
	if (tag && strcmp((const char *) tag, mapping ? YAML_MAP_TAG : YAML_SEQ_TAG))
		return at(&ev->start_mark, e, "tags are not supported");
	if (l && l->mapping && l->want_key)
		return at(&ev->start_mark, e, "a key must be a string");
	if (c->depth == YAML_DEPTH_MAX)
		return at(&ev->start_mark, e, "nested too deeply");
	put_separator(c);
	c->levels[c->depth++] = (struct level) {.mapping = mapping, .want_key = mapping};
	strbuf_addc(c->out, mapping ? '{' : '[');
	return 0;
}

static void close_level(struct convert *c)
{
	struct level *l = top(c);

	strbuf_addc(c->out, l->mapping ? '}' : ']');
	strv_free(l->keys);
	*l = (struct level) {0};
	c->depth--;
	value_ended(c);
}

/* 1: the end. */
static int take_event(struct convert *c, const yaml_event_t *ev, struct err *e)
{
	switch (ev->type) {
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_DOCUMENT_START_EVENT:
		if (c->documents++)
			strbuf_addc(c->out, ',');
		return 0;
	case YAML_ALIAS_EVENT:
		return at(&ev->start_mark, e, "aliases are not supported");
	case YAML_SCALAR_EVENT:
		return put_scalar(c, ev, e);
	case YAML_MAPPING_START_EVENT:
		return open_level(c, ev, true, ev->data.mapping_start.anchor, ev->data.mapping_start.tag, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(c, ev, false, ev->data.sequence_start.anchor, ev->data.sequence_start.tag, e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		close_level(c);
		return 0;
	default:
		return 0;
	}
}

static int convert(struct convert *c, struct err *e)
{
	for (;;) {
		yaml_event_t ev;
		int r;

		if (!yaml_parser_parse(&c->parser, &ev)) {
			const char *why = c->parser.problem;

			return at(&c->parser.problem_mark, e, why ? why : "no YAML");
		}
		r = take_event(c, &ev, e);
		yaml_event_delete(&ev);
		if (r == 0 && c->out->len > YAML_OUTPUT_MAX)
			return err_set(e, EFBIG, "the document is too large");
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

int yaml_to_json(const char *text, size_t len, struct strbuf *ret, struct err *e)
{
	struct convert c = {.out = ret};
	int r;

	if (len > YAML_INPUT_MAX)
		return err_set(e, EFBIG, "the document is too large");
	if (!yaml_parser_initialize(&c.parser))
		return err_set(e, ENOMEM, "yaml");
	yaml_parser_set_input_string(&c.parser, (const unsigned char *) text, len);
	strbuf_addc(ret, '[');
	r = convert(&c, e);
	strbuf_addc(ret, ']');
	while (c.depth) {
		strv_free(top(&c)->keys);
		c.depth--;
	}
	yaml_parser_delete(&c.parser);
	return r;
}
