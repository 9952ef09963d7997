#include "stage0/worker/metatags.h"

#include <errno.h>
#include <string.h>

#include <libxml/HTMLparser.h>

/* The parser compares each attribute of a tag with all before, each end with all that is open. */
#define ATTRIBUTES_MAX 5000
#define DEPTH_MAX 512

struct reader {
	xmlParserCtxt *parser;
	struct strbuf *ret;
	unsigned n;
	struct err why;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* "PREFIX URL", with one space between; NULL when it is something else. */
static char *fold(const char *content)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	unsigned words = 0;

	for (const char *p = content; *p; p++) {
		if (is_space(*p))
			continue;
		/* Bytes beyond ASCII are 0x7f by now; an entity can write any character. */
		if (*p <= ' ' || *p >= 0x7f || sb.len >= METATAGS_CONTENT_MAX)
			return NULL;
		if (p == content || is_space(p[-1])) {
			if (words++)
				strbuf_addc(&sb, ' ');
		}
		strbuf_addc(&sb, *p);
	}
	return words == 2 ? strbuf_take(&sb) : NULL;
}

static void stop(struct reader *rd, const char *why)
{
	if (!rd->why.code)
		err_set(&rd->why, EFBIG, "%s", why);
	xmlStopParser(rd->parser);
}

static void on_element(void *arg, const xmlChar *element, const xmlChar **attributes)
{
	struct reader *rd = arg;
	const char *name = NULL, *content = NULL;
	_cleanup_free_ char *folded = NULL;

	if (rd->parser->nameNr > DEPTH_MAX) {
		stop(rd, "the page's tags are nested too deeply");
		return;
	}
	if (strcmp((const char *) element, "meta"))
		return;
	for (size_t i = 0; attributes && attributes[i]; i += 2) {
		if (!strcmp((const char *) attributes[i], "name"))
			name = (const char *) attributes[i + 1];
		else if (!strcmp((const char *) attributes[i], "content"))
			content = (const char *) attributes[i + 1];
	}
	if (!name || !content ||
	    (strcmp(name, "ac-discovery") && strcmp(name, "ac-discovery-pubkeys")))
		return;
	folded = fold(content);
	if (!folded)
		return;
	if (rd->n++ >= METATAGS_MAX)
		stop(rd, "the page has too many discovery tags");
	else
		strbuf_addf(rd->ret, "%s\t%s\n", name, folded);
}

/*
 * Names and URLs that are of use are ASCII.  With nothing else in the page there is no encoding to
 * be guessed or believed, and no converter to be loaded.
 */
static char *to_ascii(const char *page, size_t len)
{
	char *copy = xmemdup(page, len);

	for (size_t i = 0; i < len; i++)
		if (copy[i] & 0x80 || !copy[i])
			copy[i] = 0x7f;
	return copy;
}

/* Whether what may be a tag has room for too many attributes: words and '=' up to a bracket. */
static bool has_endless_tag(const char *page, size_t len)
{
	bool inside = false;
	size_t n = 0;

	for (size_t i = 0; i + 1 < len; i++) {
		char c = page[i], next = page[i + 1];

		if (c == '<' || c == '>') {
			inside = c == '<' && !strchr("!/? \t\n", next);
			n = 0;
		} else if (inside && (c == '=' || (is_space(c) && !is_space(next)))) {
			if (++n > 2 * ATTRIBUTES_MAX)
				return true;
		}
	}
	return false;
}

int metatags_read(const char *page, size_t len, struct strbuf *ret, struct err *e)
{
	_cleanup_free_ char *ascii = NULL;
	struct reader rd = {.ret = ret, .why = ERR_INIT};
	size_t before = ret->len;

	if (len > METATAGS_PAGE_MAX)
		return err_set(e, EFBIG, "the page is larger than %u bytes", METATAGS_PAGE_MAX);
	if (!len)
		return 0;
	if (has_endless_tag(page, len))
		return err_set(e, EFBIG, "a tag of the page has too many attributes");
	ascii = to_ascii(page, len);
	rd.parser = htmlCreateMemoryParserCtxt(ascii, (int) len);
	if (!rd.parser)
		return err_set(e, ENOMEM, "HTML parser");
	/* Only events: no tree is made. */
	memset(rd.parser->sax, 0, sizeof *rd.parser->sax);
	rd.parser->sax->startElement = on_element;
	rd.parser->userData = &rd;
	(void) htmlCtxtUseOptions(rd.parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
						     HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
						     HTML_PARSE_IGNORE_ENC);
	(void) htmlParseDocument(rd.parser);
	htmlFreeParserCtxt(rd.parser);
	if (!rd.why.code)
		return 0;
	ret->len = before;
	if (ret->buf)
		ret->buf[before] = '\0';
	return err_move(e, &rd.why);
}
