#include "tests/unit/unit.h"

#include "stage0/worker/metatags.h"

static void check(const char *page, const char *lines)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (metatags_read(page, strlen(page), &sb, &e) < 0)
		fail_msg("%s: %s", page, err_text(&e));
	assert_string_equal(sb.buf ? sb.buf : "", lines);
}

#define TAG "<meta name=\"ac-discovery\" content=\"a.com https://a.com/{name}.{ext}\">"
#define LINE "ac-discovery\ta.com https://a.com/{name}.{ext}\n"
#define KEYS "<meta name='ac-discovery-pubkeys' content='a.com https://a.com/keys.gpg'/>"
#define KEYS_LINE "ac-discovery-pubkeys\ta.com https://a.com/keys.gpg\n"

static void test_pages(void **state _unused_)
{
	check("", "");
	check("no html at all", "");
	check(TAG, LINE);
	check("<!DOCTYPE html><html><head>" TAG KEYS "</head><body>x</body></html>",
	      LINE KEYS_LINE);
	check("<html><body>text first" TAG, LINE);
	check("<HTML><HEAD><META NAME=\"ac-discovery\" CONTENT=\"a.com b\"></HEAD>",
	      "ac-discovery\ta.com b\n");
	check("<meta content=\"a.com b\" name=ac-discovery>", "ac-discovery\ta.com b\n");
	check("<meta name=\"ac-discovery\" content=\" \n a.com \t\r\n b  \">",
	      "ac-discovery\ta.com b\n");
	check("<meta name=\"ac-discovery\" content=\"a.com x?a=1&amp;b=2\">",
	      "ac-discovery\ta.com x?a=1&b=2\n");
	check(KEYS TAG KEYS, KEYS_LINE LINE KEYS_LINE);
}

static void test_not_ours(void **state _unused_)
{
	check("<meta name=\"go-import\" content=\"a.com git x\">", "");
	check("<meta name=\"ac-discovery-other\" content=\"a.com x\">", "");
	check("<meta name=\"AC-DISCOVERY\" content=\"a.com x\">", "");
	check("<meta name=\"ac-discovery\">", "");
	check("<meta name=\"ac-discovery\" content=\"\">", "");
	check("<meta name=\"ac-discovery\" content=\"  \">", "");
	check("<meta content=\"a.com x\">", "");
	check("<meta name=\"ac-discovery\" content=\"a.com\">", "");
	check("<meta name=\"ac-discovery\" content=\"a.com x y\">", "");
	check("<!-- " TAG " -->", "");
	check("<script>document.write('" TAG "')</script>", "");
	check("<textarea title='" TAG "'></textarea>", "");
}

/* A line and a tab are what the answer is made of: nothing in a tag can write one. */
static void test_characters(void **state _unused_)
{
	check("<meta name=\"ac-discovery\" content=\"a.com&#10;&#9;x\">",
	      "ac-discovery\ta.com x\n");
	check("<meta name=\"ac-discovery\" content=\"a.com x&#10;ac-discovery&#9;b.com y\">", "");
	check("<meta name=\"ac-discovery\" content=\"a.com &#1;x\">", "");
	check("<meta name=\"ac-discovery\" content=\"a.com &#27;[31mx\">", "");
	check("<meta name=\"ac-discovery\" content=\"a.com \xc3\xa4\">", "");
	check("<meta name=\"ac-discovery\" content=\"a.com &auml;\">", "");
	check("<meta name=\"ac-discovery\" content=\"a.com &#x202e;x\">", "");
	check("\xff\xfe\xc0\x80 <p>\xe2\x82" TAG "\xf8", LINE);
	check("<meta charset=utf-16><meta http-equiv=content-type content='text/html; "
	      "charset=iso-2022-jp'>" TAG,
	      LINE);
	check("<?xml version='1.0' encoding='utf-7'?>" TAG, LINE);
}

static void test_nul(void **state _unused_)
{
	static const char page[] = "<html>\0<head>" TAG "\0";
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	assert_int_equal(metatags_read(page, sizeof page - 1, &sb, NULL), 0);
	assert_string_equal(sb.buf, LINE);
}

static void add_n(struct strbuf *sb, const char *text, unsigned n)
{
	while (n--)
		strbuf_adds(sb, text);
}

static void check_refused(struct strbuf *page, const char *error)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	strbuf_adds(&sb, "kept");
	assert_int_equal(metatags_read(page->buf, page->len, &sb, &e), -EFBIG);
	assert_err(&e, error);
	assert_string_equal(sb.buf, "kept");
	strbuf_done(page);
}

static void test_limits(void **state _unused_)
{
	struct strbuf page = STRBUF_INIT, out = STRBUF_INIT;

	add_n(&page, TAG, METATAGS_MAX);
	assert_int_equal(metatags_read(page.buf, page.len, &out, NULL), 0);
	assert_int_equal(out.len, METATAGS_MAX * strlen(LINE));
	strbuf_done(&out);
	strbuf_adds(&page, TAG);
	check_refused(&page, "the page has too many discovery tags");
	strbuf_adds(&page, "<a ");
	for (unsigned i = 0; i < 30000; i++)
		strbuf_addf(&page, "a%u ", i);
	check_refused(&page, "a tag of the page has too many attributes");
	add_n(&page, "<b>", 600);
	check_refused(&page, "the page's tags are nested too deeply");
	add_n(&page, "0123456789abcdef", METATAGS_PAGE_MAX / 16);
	strbuf_addc(&page, 'x');
	check_refused(&page, "the page is larger than 1048576 bytes");
	strbuf_adds(&page, "<meta name=ac-discovery content='a.com ");
	add_n(&page, "0123456789abcdef", METATAGS_CONTENT_MAX / 16 + 1);
	strbuf_adds(&page, "'>" TAG);
	assert_int_equal(metatags_read(page.buf, page.len, &out, NULL), 0);
	assert_string_equal(out.buf, LINE);
	strbuf_done(&page);
	strbuf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),	   cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_characters), cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
