#include "base/str.h"

#include <stdint.h>
#include <string.h>

static void strbuf_room(struct strbuf *sb, size_t extra)
{
	size_t want = sb->len + extra + 1;

	if (want <= sb->alloc)
		return;
	sb->alloc = want < 64 ? 64 : want + want / 2;
	sb->buf = xrealloc(sb->buf, sb->alloc);
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	strbuf_room(sb, len);
	if (len)
		memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	/* Most texts are short: no copy of them, and one look at the format. */
	size_t room = 64;
	int n;

	for (;;) {
		va_list ap;

		strbuf_room(sb, room);
		va_start(ap, fmt);
		n = vsnprintf(sb->buf + sb->len, room + 1, fmt, ap);
		va_end(ap);
		if (n < 0)
			abort();
		if ((size_t) n <= room)
			break;
		room = (size_t) n;
	}
	sb->len += (size_t) n;
}

char *strbuf_take(struct strbuf *sb)
{
	char *s = sb->buf ? sb->buf : xstrdup("");

	*sb = (struct strbuf) STRBUF_INIT;
	return s;
}

void strbuf_done(struct strbuf *sb)
{
	free(sb->buf);
	*sb = (struct strbuf) STRBUF_INIT;
}

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

void strv_push(char ***v, char *s)
{
	size_t n = strv_len(*v);

	*v = xrealloc(*v, (n + 2) * sizeof(char *));
	(*v)[n] = s;
	(*v)[n + 1] = NULL;
}

void strv_push_n(char ***v, size_t *n, char *s)
{
	/* Room for s, and for the NULL behind it. */
	*v = xgrow(*v, *n, sizeof **v);
	(*v)[(*n)++] = s;
	*v = xgrow(*v, *n, sizeof **v);
	(*v)[*n] = NULL;
}

void strv_add(char ***v, const char *s)
{
	strv_push(v, xstrdup(s));
}

char **strv_copy(char *const *v)
{
	size_t n = strv_len(v);
	char **c;

	if (!n)
		return NULL;
	c = xcalloc(n + 1, sizeof *c);
	for (size_t i = 0; i < n; i++)
		c[i] = xstrdup(v[i]);
	return c;
}

bool strv_has(char *const *v, const char *s)
{
	for (; v && *v; v++)
		if (!strcmp(*v, s))
			return true;
	return false;
}

char **strv_split(const char *s, char sep)
{
	size_t n = 1;
	char **v;

	for (const char *p = s; *p; p++)
		n += *p == sep;
	v = xcalloc(n + 1, sizeof *v);
	for (size_t i = 0; i < n; i++) {
		const char *end = strchrnul(s, sep);

		v[i] = xstrndup(s, (size_t) (end - s));
		s = end + 1;
	}
	return v;
}

char *strv_join(char *const *v, const char *sep)
{
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; v && v[i]; i++) {
		if (i)
			strbuf_adds(&sb, sep);
		strbuf_adds(&sb, v[i]);
	}
	return strbuf_take(&sb);
}

void strv_free(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

static int cmp_str(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **v)
{
	if (v)
		qsort(v, strv_len(v), sizeof *v, cmp_str);
}

bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

/* Length of the well-formed UTF-8 sequence at s, 0 if there is none. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len;
	unsigned lo = 0x80, hi = 0xbf;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	/* RFC 3629 section 4: the second byte rules out overlong forms, surrogates, > U+10FFFF. */
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool str_is_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *) s;

	while (len) {
		uint64_t eight;
		size_t n;

		/* Nearly all that is read is ASCII. */
		if (len >= sizeof eight) {
			memcpy(&eight, p, sizeof eight);
			if (!(eight & UINT64_C(0x8080808080808080))) {
				p += sizeof eight;
				len -= sizeof eight;
				continue;
			}
		}
		n = utf8_len(p, len);
		if (!n)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/* How many bytes stand for themselves: most texts do from one end to the other. */
static size_t plain_len(const unsigned char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

static void add_escaped(struct strbuf *sb, const char *s, size_t len, bool quotes)
{
	const unsigned char *p = (const unsigned char *) s, *end = p + len;

	while (p < end) {
		size_t plain = plain_len(p, (size_t) (end - p)), n;

		if (plain) {
			strbuf_add(sb, p, plain);
			p += plain;
			continue;
		}
		n = utf8_len(p, (size_t) (end - p));
		/* C1 controls (U+0080..9F) steer terminals just as C0 do. */
		if (!n || *p < 0x20 || *p == 0x7f || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)) {
			if (*p == '\n')
				strbuf_adds(sb, "\\n");
			else
				strbuf_addf(sb, "\\x%02x", *p);
			p++;
			continue;
		}
		if (quotes && (*p == '"' || *p == '\\'))
			strbuf_addc(sb, '\\');
		strbuf_add(sb, p, n);
		p += n;
	}
}

char *str_escape(const char *s, size_t len)
{
	struct strbuf sb = STRBUF_INIT;

	add_escaped(&sb, s, len, false);
	return strbuf_take(&sb);
}

const char *q(const char *s)
{
	static char slots[8][1200];
	static unsigned next;
	char *slot = slots[next++ % ELEMENTSOF(slots)];
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t len;

	if (!s)
		return "(none)";
	len = strlen(s);
	strbuf_addc(&sb, '"');
	add_escaped(&sb, s, len > 256 ? 256 : len, true);
	strbuf_adds(&sb, len > 256 ? "...\"" : "\"");
	memcpy(slot, sb.buf, sb.len + 1);
	return slot;
}
