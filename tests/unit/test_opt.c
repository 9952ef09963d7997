#include "tests/unit/unit.h"

#include "base/opt.h"

struct target {
	bool flag, off;
	char *text;
	char **list, **net;
	int64_t wait, n;
	int calls;
};

static int call(void *target, const char *value, struct err *e)
{
	struct target *t = target;

	t->calls++;
	return strcmp(value, "bad") ? 0 : err_set(e, EINVAL, "that will not do");
}

#define AT(member) .offset = offsetof(struct target, member)

static const struct opt opts[] = {
	{.name = "flag", .short_name = 'f', .type = OPT_FLAG, AT(flag), .help = "a flag"},
	{.name = "print", .type = OPT_FLAG_ON, AT(off), .help = "on by itself"},
	{.name = "text", .short_name = 't', .type = OPT_STRING, AT(text), .arg = "TEXT", .help = "a text"},
	{.name = "list", .type = OPT_STRV, AT(list), .arg = "ITEM", .help = "may be repeated"},
	{.name = "net", .type = OPT_OPTIONAL, AT(net), .arg = "NET", .bare = "default", .help = "networks"},
	{.name = "wait", .type = OPT_DURATION, AT(wait), .arg = "DURATION", .help = "how long"},
	{.name = "number-with-a-really-long-name", .type = OPT_I64, AT(n), .arg = "NUMBER", .help = "a number"},
	{.name = "call", .type = OPT_CALL, .call = call, .arg = "X"},
	{.name = "users", .type = OPT_STRING, .refused = "not built yet", .help = "x"},
};

static void target_done(struct target *t)
{
	free(t->text);
	strv_free(t->list);
	strv_free(t->net);
}

/* Words at blanks. Returns what opt_parse_all() returns. */
static int parse(const char *line, bool stop, struct target *t, char ***words, struct err *e)
{
	_cleanup_strv_ char **argv = *line ? strv_split(line, ' ') : NULL;
	struct opt_table table = OPT_TABLE(opts, t);
	struct opt_cursor c = {.argc = (int) strv_len(argv), .argv = argv};

	*t = (struct target) {0};
	return opt_parse_all(&c, &table, 1, stop, words, e);
}

static void test_values(void **state _unused_)
{
	_cleanup_strv_ char **words = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *all = NULL, *list = NULL, *net = NULL;
	struct target t;

	assert_int_equal(parse("w1 --flag --text=a --text b --list x --list=y,z --net --net=n2 - --wait 1m30s "
			       "--number-with-a-really-long-name=-5 --call=ok w2 -- --flag w3",
			       false, &t, &words, &e),
			 0);
	assert_true(t.flag);
	assert_string_equal(t.text, "b");
	list = strv_join(t.list, " ");
	assert_string_equal(list, "x y,z");
	net = strv_join(t.net, " ");
	assert_string_equal(net, "default n2");
	assert_int_equal(t.wait, 90000000000);
	assert_int_equal(t.n, -5);
	assert_int_equal(t.calls, 1);
	all = strv_join(words, " ");
	assert_string_equal(all, "w1 - w2 --flag w3");
	target_done(&t);
}

static void test_forms(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct target t;
	static const struct {
		const char *line, *words;
		bool flag;
		const char *text;
	} rows[] = {
		{"", "", false, NULL},
		{"-f", "", true, NULL},
		{"--flag=false", "", false, NULL},
		{"--flag=T false", "false", true, NULL},
		{"-t x", "", false, "x"},
		{"-t=x", "", false, "x"},
		{"--text=", "", false, ""},
		{"--text=a=b", "", false, "a=b"},
		{"--text --flag", "", false, "--flag"},
		{"--text --", "", false, "--"},
		{"a --- -f", "a ---", true, NULL},
		{"-- --- --", "--- --", false, NULL},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strv_ char **words = NULL;
		_cleanup_free_ char *joined = NULL;

		assert_int_equal(parse(rows[i].line, false, &t, &words, &e), 0);
		joined = strv_join(words, " ");
		assert_string_equal(joined, rows[i].words);
		assert_int_equal(t.flag, rows[i].flag);
		assert_true(str_eq(t.text, rows[i].text));
		target_done(&t);
	}
}

static void test_flag_that_is_on(void **state _unused_)
{
	static const struct {
		const char *line;
		bool off;
	} rows[] = {
		{"", false}, {"--print", false}, {"--print=True", false}, {"--print=f", true}, {"--print=0 --print", false},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strv_ char **words = NULL;
		_cleanup_err_ struct err e = ERR_INIT;
		struct target t;

		assert_int_equal(parse(rows[i].line, false, &t, &words, &e), 0);
		assert_int_equal(t.off, rows[i].off);
	}
}

static void test_stop_at_word(void **state _unused_)
{
	_cleanup_strv_ char **words = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *joined = NULL;
	struct target t;

	assert_int_equal(parse("-f UUID --text=x -- y", true, &t, &words, &e), 0);
	joined = strv_join(words, " ");
	assert_string_equal(joined, "UUID --text=x -- y");
	assert_true(t.flag);
	assert_null(t.text);
	target_done(&t);
}

static void test_errors(void **state _unused_)
{
	static const struct {
		const char *line, *error;
		int r;
	} rows[] = {
		{"--foo", "unknown flag: --foo", -EINVAL},
		{"--foo=bar", "unknown flag: --foo", -EINVAL},
		{"--tex=a", "unknown flag: --tex", -EINVAL},
		{"--texts=a", "unknown flag: --texts", -EINVAL},
		{"--Flag", "unknown flag: --Flag", -EINVAL},
		{"-x", "unknown flag: -x", -EINVAL},
		{"-ft", "unknown flag: -ft", -EINVAL},
		{"---flag", "unknown flag: ---flag", -EINVAL},
		{"--=a", "unknown flag: --", -EINVAL},
		{"--\x1b[2J", "unknown flag: --\\x1b[2J", -EINVAL},
		{"--text", "flag needs an argument: --text", -EINVAL},
		{"-t", "flag needs an argument: --text", -EINVAL},
		{"--flag=maybe", "invalid argument \"maybe\" for --flag: true or false", -EINVAL},
		{"--flag=", "invalid argument \"\" for --flag: true or false", -EINVAL},
		{"--print=no", "invalid argument \"no\" for --print: true or false", -EINVAL},
		{"--wait=5", "invalid argument \"5\" for --wait: not a duration like 1h30m or 0s", -EINVAL},
		{"--number-with-a-really-long-name=1x",
		 "invalid argument \"1x\" for --number-with-a-really-long-name: not a number", -EINVAL},
		{"--number-with-a-really-long-name=99999999999999999999",
		 "invalid argument \"99999999999999999999\" for --number-with-a-really-long-name: "
		 "out of range",
		 -ERANGE},
		{"--call bad", "invalid argument \"bad\" for --call: that will not do", -EINVAL},
		{"--users=x", "--users: not built yet", -ENOTSUP},
		{"--users", "--users: not built yet", -ENOTSUP},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strv_ char **words = NULL;
		_cleanup_err_ struct err e = ERR_INIT;
		struct target t;

		assert_int_equal(parse(rows[i].line, false, &t, &words, &e), rows[i].r);
		assert_err(&e, rows[i].error);
		target_done(&t);
	}
}

/* Two tables with a target each; the caller sees every kind of word. */
static void test_next(void **state _unused_)
{
	static const struct opt global[] = {
		{.name = "debug", .type = OPT_FLAG, AT(flag)},
		{.name = "flag", .type = OPT_STRING, AT(text)}, /* hidden behind the first table's */
	};
	static const char *const argv[] = {"--flag", "img", "--debug", "--", "---", "-"};
	static const int kinds[] = {OPT_STORED, OPT_WORD, OPT_STORED, OPT_ENDS, OPT_TRIPLE, OPT_WORD, OPT_END, OPT_END};
	struct target a = {0}, b = {0};
	struct opt_table tables[] = {OPT_TABLE(opts, &a), OPT_TABLE(global, &b)};
	struct opt_cursor c = {.argc = ELEMENTSOF(argv), .argv = (char *const *) argv};
	_cleanup_err_ struct err e = ERR_INIT;
	const struct opt *o = NULL;
	const char *word = NULL;

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
		assert_int_equal(opt_next(&c, tables, 2, &o, &word, &e), kinds[i]);
	assert_true(a.flag && b.flag && !b.text);
	assert_string_equal(o->name, "debug");
	assert_string_equal(word, "-");
}

static void test_help(void **state _unused_)
{
	static const char expected[] = "  -f, --flag                        a flag\n"
		"  --print                           on by itself\n"
				       "  -t, --text=TEXT                   a text\n"
				       "  --list=ITEM                       may be repeated\n"
				       "  --net[=NET]                       networks\n"
				       "  --wait=DURATION                   how long\n"
				       "  --number-with-a-really-long-name=NUMBER\n"
				       "                                    a number\n";
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	opt_help(f, opts, ELEMENTSOF(opts));
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_forms), cmocka_unit_test(test_flag_that_is_on),
		cmocka_unit_test(test_stop_at_word),
		cmocka_unit_test(test_errors), cmocka_unit_test(test_next),  cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
