#include "tests/unit/unit.h"

#include "base/str.h"
#include "stage0/oci/registry_error.h"

static void test_text(void **state _unused_)
{
	static const struct {
		const char *body, *text;
	} rows[] = {
		{"", NULL},
		{"{}", NULL},
		{"[]", NULL},
		{"{\"errors\":[]}", NULL},
		{"{\"errors\":[1,[],{}]}", NULL},
		{"{\"errors\":[{\"code\":\"DENIED\"}]}", "denied"},
		{"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\"}]}", "denied"},
		{"{\"errors\":[{\"message\":\"x\"}]}", "x"},
		{"{\"errors\":[{\"code\":\"A\",\"message\":\"b\",\"detail\":{\"x\":1}},{\"code\":\"C\"}]}", "a: b; c"},
		{"{\"errors\":[{\"code\":\"1\"},{\"code\":\"2\"},{\"code\":\"3\"},{\"code\":\"4\"}]}", "1; 2; 3"},
		{"{\"errors\":[{\"message\":\" a\\n\\n b \\u001b[2J\"}]}", "a b \\x1b[2J"},
		{"{\"details\":\"incorrect username or password\"}", "incorrect username or password"},
		{"{\"error\":\"e\",\"error_description\":\"d\"}", "d"},
		{"no\r\nsuch thing\n", "no such thing"},
		{"<html>x</html>", NULL},
		{"{\"errors\":", NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_free_ char *text = registry_error_text(rows[i].body, strlen(rows[i].body));

		if (!str_eq(text, rows[i].text))
			fail_msg("%s: %s", rows[i].body, q(text));
	}
}

static void test_cut(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;

	strbuf_adds(&sb, "{\"errors\":[{\"message\":\"");
	for (int i = 0; i < 1000; i++)
		strbuf_addc(&sb, 'x');
	strbuf_adds(&sb, "\"}]}");
	text = registry_error_text(sb.buf, sb.len);
	assert_int_equal(strlen(text), 403);
	assert_true(str_ends(text, "xxx..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_cut)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
