/*
 * gantry help [COMMAND]: everything it says comes from the tables.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "stage0/command.h"

static void print_overview(FILE *f, const char *program)
{
	fprintf(f,
		"NAME:\n\t%s - a daemonless pod runtime\n\n"
		"USAGE:\n\t%s [global options] COMMAND [options] [arguments]\n\n"
		"VERSION:\n\t" GANTRY_VERSION "\n\nCOMMANDS:\n",
		program, program);
	for (size_t i = 0; commands[i]; i++)
		if (command_is_shown(commands[i]) && !commands[i]->is_family)
			fprintf(f, "\t%-20s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(f, "\nGLOBAL OPTIONS:\n");
	opt_help(f, global_opts, n_global_opts);
	fprintf(f,
		"\nA command may be shortened as long as it is unique. "
		"More: %s help COMMAND, man gantry-COMMAND.\n",
		program);
}

static void print_members(FILE *f, const struct command *family)
{
	size_t len = strlen(family->name);

	fprintf(f, "\nCOMMANDS:\n");
	for (size_t i = 0; commands[i]; i++)
		if (command_is_shown(commands[i]) && str_starts(commands[i]->name, family->name) &&
		    commands[i]->name[len] == ' ')
			fprintf(f, "\t%-20s %s\n", commands[i]->name, commands[i]->summary);
}

void help_print(FILE *f, const struct gantry *g, const struct command *cmd)
{
	if (!cmd) {
		print_overview(f, g->program);
		return;
	}
	fprintf(f, "NAME:\n\t%s %s - %s\n\nUSAGE:\n\t%s %s %s\n", g->program, cmd->name,
		cmd->summary   ? cmd->summary
		: cmd->refused ? cmd->refused
			       : "",
		g->program, cmd->name, cmd->usage ? cmd->usage : "");
	if (cmd->is_family)
		print_members(f, cmd);
	if (cmd->details)
		fprintf(f, "\nDESCRIPTION:\n%s", cmd->details);
	if (cmd->n_opts) {
		fprintf(f, "\nOPTIONS:\n");
		opt_help(f, cmd->opts, cmd->n_opts);
	}
	for (const struct help_table *t = cmd->help_tables; t && t->title; t++) {
		fprintf(f, "\n%s:\n", t->title);
		opt_help(f, t->opts, *t->n);
	}
	fprintf(f, "\nGLOBAL OPTIONS:\n");
	opt_help(f, global_opts, n_global_opts);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct opt_cursor c = {.argc = (int) strv_len(words), .argv = words};
	const struct command *cmd = NULL;

	(void) target;
	if (c.argc) {
		cmd = command_find(&c, e);
		if (!cmd)
			return -EINVAL;
	}
	help_print(stdout, g, cmd);
	return 0;
}

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "show this, or the options of a command",
	.run = run,
};
