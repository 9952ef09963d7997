#include "tests/unit/unit.h"

static void test_strbuf(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *big = xcalloc(100001, 1), *s = NULL, *none = NULL;

	memset(big, 'x', 100000);
	strbuf_addc(&sb, 'a');
	strbuf_addf(&sb, "%d%s", 1, "b");
	strbuf_adds(&sb, big);
	strbuf_add(&sb, "\0z", 2);
	strbuf_add(&sb, NULL, 0);
	assert_int_equal(sb.len, 100005);
	assert_int_equal(sb.buf[sb.len], '\0');
	assert_memory_equal(sb.buf, "a1bx", 4);
	s = strbuf_take(&sb);
	assert_null(sb.buf);
	none = strbuf_take(&sb);
	assert_string_equal(none, "");
	strbuf_done(&sb);
}

static void test_strv(void **state _unused_)
{
	_cleanup_strv_ char **v = NULL, **w = NULL, **none = strv_copy(NULL);
	_cleanup_free_ char *joined = NULL, *empty = strv_join(NULL, ",");

	assert_null(none);
	assert_string_equal(empty, "");
	assert_int_equal(strv_len(NULL), 0);
	strv_add(&v, "b");
	strv_push(&v, xstrdup("a"));
	strv_add(&v, "");
	assert_int_equal(strv_len(v), 3);
	assert_true(strv_has(v, ""));
	assert_false(strv_has(v, "c"));
	assert_false(strv_has(NULL, "c"));
	w = strv_copy(v);
	strv_sort(w);
	strv_sort(NULL);
	joined = strv_join(w, "::");
	assert_string_equal(joined, "::a::b");
	/* Growing a copy goes on. */
	strv_add(&w, "z");
	assert_string_equal(w[3], "z");
	assert_null(w[4]);
}

static void test_long_strv(void **state _unused_)
{
	_cleanup_strv_ char **v = NULL;
	size_t n = 0;

	for (int i = 0; i < 1000; i++) {
		strv_push_n(&v, &n, xasprintf("%d", i));
		assert_int_equal(strv_len(v), i + 1);
	}
	assert_int_equal(n, 1000);
	assert_string_equal(v[0], "0");
	assert_string_equal(v[999], "999");
}

static void test_split(void **state _unused_)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {{"", 1}, {",", 2}, {"a", 1}, {"a,b", 2}, {",a,,b,", 5}};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strv_ char **v = strv_split(rows[i].text, ',');
		_cleanup_free_ char *again = strv_join(v, ",");

		assert_int_equal(strv_len(v), rows[i].n);
		assert_string_equal(again, rows[i].text);
	}
}

static void test_words(void **state _unused_)
{
	assert_true(str_starts("sha512-", "sha"));
	assert_true(str_starts("", ""));
	assert_false(str_starts("sh", "sha"));
	assert_true(str_ends("a.aci", ".aci"));
	assert_false(str_ends("aci", ".aci"));
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq(NULL, ""));
	assert_true(str_eq("a", "a"));
}

static void test_quote(void **state _unused_)
{
	static const struct {
		const char *text, *quoted;
	} rows[] = {
		{NULL, "(none)"},
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"\"\\", "\"\\\"\\\\\""},
		{"a\nb\tc", "\"a\\nb\\x09c\""},
		{"\x1b[31m", "\"\\x1b[31m\""},
		{"\x7f", "\"\\x7f\""},
		{"\xc3\xa4", "\"\xc3\xa4\""},
		/* C1 control, lone continuation, overlong, surrogate, beyond U+10FFFF, cut sequence */
		{"\xc2\x9b", "\"\\xc2\\x9b\""},
		{"\x80", "\"\\x80\""},
		{"\xc0\xaf", "\"\\xc0\\xaf\""},
		{"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},
		{"\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\""},
		{"\xe2\x82", "\"\\xe2\\x82\""},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		assert_string_equal(q(rows[i].text), rows[i].quoted);
}

static void test_quote_cuts(void **state _unused_)
{
	char text[301];

	memset(text, 0x01, 300);
	text[300] = '\0';
	/* 256 bytes of four characters each. */
	assert_int_equal(strlen(q(text)), 256 * 4 + 5);
	assert_true(str_ends(q(text), "\\x01...\""));
	text[256] = '\0';
	assert_int_equal(strlen(q(text)), 256 * 4 + 2);
	/* Eight at once. */
	_cleanup_free_ char *all = xasprintf("%s%s%s%s%s%s%s%s", q("1"), q("2"), q("3"), q("4"), q("5"), q("6"), q("7"),
					     q("8"));
	assert_string_equal(all, "\"1\"\"2\"\"3\"\"4\"\"5\"\"6\"\"7\"\"8\"");
}

static void test_utf8(void **state _unused_)
{
	static const char *const good[] = {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
					   "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xbf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
					  "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe",
					  "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xe2(\xa1", "\xf0\x9f(\x80"};

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		assert_true(str_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_false(str_is_utf8(bad[i], strlen(bad[i])));
	assert_true(str_is_utf8("a\0b", 3));
}

static void test_grow(void **state _unused_)
{
	int *v = NULL;

	for (int i = 0; i < 1000; i++) {
		v = xgrow(v, (size_t) i, sizeof *v);
		v[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strbuf), cmocka_unit_test(test_strv),	   cmocka_unit_test(test_split),
		cmocka_unit_test(test_long_strv),
		cmocka_unit_test(test_words),  cmocka_unit_test(test_quote),	   cmocka_unit_test(test_quote_cuts),
		cmocka_unit_test(test_utf8),   cmocka_unit_test(test_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
