/*
 * gantry __doc COMMAND: the options of a command in scdoc's form, for the man pages; so that page
 * and program cannot differ. Hidden.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/command.h"

/* scdoc gives a meaning to some characters. */
static void print_escaped(const char *s)
{
	for (; *s; s++) {
		if (strchr("*_\\#[]<>~`", *s))
			putchar('\\');
		putchar(*s);
	}
}

static void print_rows(const struct opt *opts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct opt *o = &opts[i];

		if (!o->help || o->refused)
			continue;
		if (o->short_name)
			printf("*-%c*, ", o->short_name);
		printf("*--%s*", o->name);
		if (o->arg) {
			fputs(o->type == OPT_OPTIONAL ? "\\[=_" : "=_", stdout);
			print_escaped(o->arg);
			fputs(o->type == OPT_OPTIONAL ? "_\\]" : "_", stdout);
		}
		printf("\n\t");
		print_escaped(o->help);
		printf("\n\n");
	}
}

static void print_refused(const struct opt *opts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!opts[i].refused)
			continue;
		printf("*--%s*\n\t", opts[i].name);
		print_escaped(opts[i].refused);
		printf("\n\n");
	}
}

static void print_command(const struct command *cmd)
{
	print_rows(cmd->opts, cmd->n_opts);
	for (const struct help_table *t = cmd->help_tables; t && t->title; t++) {
		printf("## %s\n\n", t->title);
		print_rows(t->opts, *t->n);
	}
	/* Known by name and refused: said here, so that nobody looks for them. */
	print_refused(cmd->opts, cmd->n_opts);
	for (const struct help_table *t = cmd->help_tables; t && t->title; t++)
		print_refused(t->opts, *t->n);
}

static void print_commands(void)
{
	for (size_t i = 0; commands[i]; i++) {
		if (!command_is_shown(commands[i]) || commands[i]->is_family)
			continue;
		printf("*%s*\n\t", commands[i]->name);
		print_escaped(commands[i]->summary);
		printf("\n\n");
	}
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct opt_cursor c = {.argc = (int) strv_len(words), .argv = words};
	const struct command *cmd;

	(void) g;
	(void) target;
	if (!c.argc) {
		print_rows(global_opts, n_global_opts);
		return 0;
	}
	if (!strcmp(words[0], "commands")) {
		print_commands();
		return 0;
	}
	cmd = command_find(&c, e);
	if (!cmd)
		return -EINVAL;
	print_command(cmd);
	return 0;
}

const struct command cmd_doc = {
	.name = "__doc",
	.usage = "[COMMAND]",
	.run = run,
};
