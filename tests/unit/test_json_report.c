#include "tests/unit/unit.h"

#include "base/json.h"
#include "base/json_place.h"
#include "spec/image_manifest.h"

static void at_place(const char *text, const struct json_at *at, size_t line, size_t column)
{
	size_t l, c;

	json_position(text, json_place(text, strlen(text), at), &l, &c);
	if (l != line || c != column)
		fail_msg("%s: %zu:%zu", text, l, c);
}

static void test_places(void **state _unused_)
{
	static const char text[] =
		"\n{\"a\": [1, \"x]\\\"\", {\"b\\u0063\" : {}, \"d\":\n  [[]]}],\n\"e\":\ttrue}";
	const struct json_at a = {.key = "a"}, a0 = {.up = &a}, a1 = {.up = &a, .index = 1},
			     a2 = {.up = &a, .index = 2};
	const struct json_at a3 = {.up = &a, .index = 3}, bc = {.up = &a2, .key = "bc"},
			     d = {.up = &a2, .key = "d"};
	const struct json_at d0 = {.up = &d}, none = {.up = &a2, .key = "none"}, e = {.key = "e"},
			     missing = {.key = "f"};
	const struct json_at below = {.up = &missing, .key = "g"};

	at_place(text, JSON_TOP, 2, 1);
	at_place(text, &a, 2, 7);
	at_place(text, &a0, 2, 8);
	at_place(text, &a1, 2, 11);
	at_place(text, &a2, 2, 19);
	at_place(text, &bc, 2, 32);
	at_place(text, &d, 3, 3);
	at_place(text, &d0, 3, 4);
	at_place(text, &e, 4, 6);
	/* What is not there: where it should be. */
	at_place(text, &none, 2, 19);
	at_place(text, &a3, 2, 7);
	at_place(text, &missing, 2, 1);
	at_place(text, &below, 2, 1);
}

static void test_all_findings(void **state _unused_)
{
	static const char text[] =
		"{\n"
		"  \"acKind\": \"ImageManifest\",\n"
		"  \"name\": \"Upper\",\n"
		"  \"labels\": [{\"name\": \"os\", \"value\": 1}, {\"name\": \"B\", \"value\": "
		"\"x\"}],\n"
		"  \"app\": {\"exec\": [\"/a\", 7, 8], \"user\": \"0\", \"extra\": null},\n"
		"  \"pathWhitelist\": [\"/a\", \"b\"]\n"
		"}\n";
	static const struct {
		const char *path;
		size_t line, column;
	} rows[] = {
		{"acVersion", 1, 1},	   {"name", 3, 11},	 {"labels[0].value", 4, 38},
		{"labels[1].name", 4, 51}, {"app.extra", 5, 55}, {"app.exec[1]", 5, 26},
		{"app.exec[2]", 5, 29},	   {"app.group", 5, 10}, {"pathWhitelist[1]", 6, 27},
	};
	_cleanup_json_report_ struct json_report report = {.text = text, .len = strlen(text)};
	_cleanup_err_ struct err e = ERR_INIT;
	struct image_manifest *m;

	json_collect(&report);
	m = image_manifest_parse(text, strlen(text), &e);
	json_collect(NULL);
	assert_null(m);
	for (size_t i = 0; i < report.n && i < ELEMENTSOF(rows); i++)
		if (strcmp(report.v[i].path, rows[i].path) || report.v[i].line != rows[i].line ||
		    report.v[i].column != rows[i].column)
			fail_msg("%zu: %s %zu:%zu: %s", i, report.v[i].path, report.v[i].line,
				 report.v[i].column, report.v[i].text);
	assert_int_equal(report.n, ELEMENTSOF(rows));
	/* And then the first ends it again. */
	err_done(&e);
	assert_null(image_manifest_parse(text, strlen(text), &e));
	assert_err(&e, "image manifest: acVersion: required member is missing");
	assert_int_equal(report.n, ELEMENTSOF(rows));
}

static void test_bounded(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_json_report_ struct json_report report = {0};

	strbuf_adds(&sb, "{");
	for (int i = 0; i < 500; i++)
		strbuf_addf(&sb, "%s\"x%d\":1", i ? "," : "", i);
	strbuf_adds(&sb, "}");
	report.text = sb.buf;
	report.len = sb.len;
	json_collect(&report);
	assert_null(image_manifest_parse(sb.buf, sb.len, NULL));
	json_collect(NULL);
	assert_int_equal(report.n, JSON_REPORT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_all_findings),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
