/* Which command words mean: whole names, unique beginnings, families of two words, hidden ones. */
#include "tests/unit/unit.h"

#include "stage0/command.h"

static void found(void **state)
{
	static const struct {
		const char *words[4];
		const char *name;
		int used;
	} rows[] = {
		{{"run"}, "run", 1}, /* although run-prepared begins with it */
		{{"run", "image"}, "run", 1},
		{{"run-"}, "run-prepared", 1},
		{{"li"}, "list", 1},
		{{"g"}, "gc", 1},
		{{"h", "run"}, "help", 1},
		{{"image"}, "image", 1},
		{{"im"}, "image", 1},
		{{"image", "--help"}, "image", 1},
		{{"image", "list", "x"}, "image list", 2},
		{{"im", "l"}, "image list", 2},
		{{"image", "cat"}, "image cat-manifest", 2},
		{{"image", "rm"}, "image rm", 2},
		{{"metadata"}, "metadata-service", 1},
		/* what is not built has its name all the same */
		{{"export"}, "export", 1},
		{{"image", "g"}, "image gc", 2},
		/* hidden ones are written out */
		{{"__doc"}, "__doc", 1},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct opt_cursor c = {.argv = (char *const *) rows[i].words};
		const struct command *cmd;

		c.argc = (int) strv_len(c.argv);
		cmd = command_find(&c, &e);
		if (!cmd)
			fail_msg("%s: %s", rows[i].words[0], err_text(&e));
		assert_string_equal(cmd->name, rows[i].name);
		assert_int_equal(c.pos, rows[i].used);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *words[3];
		const char *text;
	} rows[] = {
		{{"frob"}, "unknown command \"frob\""},
		{{""}, "unknown command \"\""},
		{{"runs"}, "unknown command \"runs\""},
		{{"\033[31m"}, "unknown command \"\\x1b[31m\""},
		{{"__d"}, "unknown command \"__d\""},
		{{"_"}, "unknown command \"_\""},
		{{"st"}, "ambiguous command \"st\": status, stop"},
		{{"image", "frob"}, "unknown command \"image frob\""},
		{{"image", ""}, "unknown command \"image \""},
		{{"im", "\033"}, "unknown command \"image \\x1b\""},
		{{"image", "re"}, NULL},
		{{"image", "r"}, "ambiguous command \"image r\": image render, image rm"},
		{{"image list"}, "unknown command \"image list\""},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		struct opt_cursor c = {.argv = (char *const *) rows[i].words};

		c.argc = (int) strv_len(c.argv);
		if (!rows[i].text) {
			assert_non_null(command_find(&c, &e));
			continue;
		}
		assert_null(command_find(&c, &e));
		assert_err(&e, rows[i].text);
	}
}

/* What the table must hold, so that help, man pages and refusals can be made of it. */
static void the_table(void **state)
{
	(void) state;
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];

		for (size_t k = i + 1; commands[k]; k++)
			assert_string_not_equal(c->name, commands[k]->name);
		assert_true(c->refused || c->is_family || c->run);
		assert_true(!command_is_shown(c) || c->usage);
		for (size_t k = 0; k < c->n_opts; k++) {
			/* an option is explained, or refused with a reason, or an old name of another */
			const struct opt *o = &c->opts[k];

			assert_non_null(o->name);
			assert_true(o->refused || o->help);
			assert_true(o->type != OPT_CALL || o->call);
			assert_true(o->refused || o->type == OPT_CALL || o->offset < c->target_size);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(refused),
		cmocka_unit_test(the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
