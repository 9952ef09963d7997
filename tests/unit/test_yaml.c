#include "tests/unit/unit.h"

#include "base/json.h"
#include "stage0/worker/yaml.h"

static void gives(const char *yaml, const char *json)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_json_ cJSON *j = NULL;

	if (yaml_to_json(yaml, strlen(yaml), &sb, &e) < 0)
		fail_msg("%s: %s", yaml, err_text(&e));
	assert_string_equal(sb.buf, json);
	j = json_parse(sb.buf, sb.len, YAML_OUTPUT_MAX, &e);
	if (!j)
		fail_msg("%s: %s", sb.buf, err_text(&e));
}

static void refused(const char *yaml, const char *why)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;

	if (yaml_to_json(yaml, strlen(yaml), &sb, &e) == 0)
		fail_msg("accepted: %s", yaml);
	if (!strstr(err_text(&e), why))
		fail_msg("%s: %s", yaml, err_text(&e));
}

static void test_structure(void **state _unused_)
{
	gives("", "[]");
	gives("# nothing\n", "[]");
	gives("a: 1\nb:\n- x\n- {c: d, e: [f]}\n", "[{\"a\":1,\"b\":[\"x\",{\"c\":\"d\",\"e\":[\"f\"]}]}]");
	gives("---\na: 1\n---\nb: 2\n", "[{\"a\":1},{\"b\":2}]");
	gives("a:\nb: {}\nc: []\n", "[{\"a\":null,\"b\":{},\"c\":[]}]");
	gives("{\"a\": [1, \"x\"]}", "[{\"a\":[1,\"x\"]}]");
	gives("a: |\n  one\n  two\n", "[{\"a\":\"one\\u000atwo\\u000a\"}]");
	gives("a: >-\n  one\n  two\n", "[{\"a\":\"one two\"}]");
	gives("a: \"q\\\"\\\\\\t\"", "[{\"a\":\"q\\\"\\\\\\u0009\"}]");
}

static void test_words(void **state _unused_)
{
	gives("[~, null, Null, \"null\"]", "[[null,null,null,\"null\"]]");
	gives("[true, yes, ON, false, no, Off, 'yes', y]", "[[true,true,true,false,false,false,\"yes\",\"y\"]]");
	gives("[0, -1, +7, 0644, 0x1f, 0o17, 0b11, 08, 1_000]", "[[0,-1,7,420,31,15,3,\"08\",\"1_000\"]]");
	gives("[0.1, 0.3, 1.1, 0.30000000000000004]", "[[0.1,0.3,1.1,0.30000000000000004]]");
	gives("[1.5, 1e3, -0.25, 1.2.3, 500m, 64Mi, .inf, 1.]", "[[1.5,1000,-0.25,\"1.2.3\",\"500m\",\"64Mi\",\".inf\",1]]");
	gives("[9007199254740993, 99999999999999999999]", "[[\"9007199254740993\",\"99999999999999999999\"]]");
	gives("[!!str 12, ! 12]", "[[\"12\",\"12\"]]");
	gives("1: a\ntrue: b\n", "[{\"1\":\"a\",\"true\":\"b\"}]");
}

static void test_refused(void **state _unused_)
{
	char deep[300];

	refused("a: &x 1\nb: *x\n", "anchors");
	refused("a: *x\n", "alias");
	refused("<<: {a: 1}\n", "merge keys");
	refused("a: 1\na: 2\n", "line 2, column 1: key \"a\" is there twice");
	refused("a: !!binary aGk=\n", "tag");
	refused("a: !mine {b: c}\n", "tags");
	refused("? [a]\n: b\n", "a key must be a string");
	refused("a: \"x\\0y\"\n", "NUL");
	refused("a: [\n", "line 2");
	refused("\tb: 1\n", "line 1");
	refused("a: b: c\n", "line 1");
	memset(deep, '[', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	refused(deep, "nested too deeply");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
