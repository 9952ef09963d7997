/*
 * gantry: read the command line, make the context ready, run one verb, print the one error line.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "contract/exit.h"
#include "stage0/command.h"

static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target, char ***words,
		 bool *help, struct err *e)
{
	/* Help wins over whatever else stands there, as in every tool, but only up to "--". */
	for (int i = c->pos; i < c->argc && strcmp(c->argv[i], "--"); i++) {
		if (!strcmp(c->argv[i], "--help") || !strcmp(c->argv[i], "-h")) {
			*help = true;
			return 0;
		}
		if (cmd->stop_at_word && c->argv[i][0] != '-')
			break;
	}
	if (cmd->parse)
		return cmd->parse(g, cmd, c, target, words, e);

	struct opt_table tables[] = {
		{cmd->opts, cmd->n_opts, target},
		{global_opts, n_global_opts, g},
	};
	return opt_parse_all(c, tables, ELEMENTSOF(tables), cmd->stop_at_word, words, e);
}

static int run_command(struct gantry *g, const struct command *cmd, struct opt_cursor *c, struct err *e)
{
	_cleanup_free_ void *target = xcalloc(1, cmd->target_size + 1);
	_cleanup_strv_ char **words = NULL;
	bool help = false;
	int r = parse(g, cmd, c, target, &words, &help, e);

	if (r >= 0 && help)
		help_print(stdout, cmd);
	else if (r >= 0 && cmd->refused)
		r = err_set(e, ENOTSUP, "%s", cmd->refused);
	else if (r >= 0 && cmd->needs_root && geteuid() != 0)
		r = err_set(e, EPERM, "cannot run as unprivileged user");
	else if (r >= 0)
		r = context_open(g, e);
	if (r >= 0 && !help)
		r = cmd->run(g, target, words, e);
	if (cmd->done)
		cmd->done(target);
	return r;
}

/* Global options that stand before the verb. */
static int parse_globals(struct gantry *g, struct opt_cursor *c, bool *help, struct err *e)
{
	struct opt_table tables[] = {{global_opts, n_global_opts, g}};

	while (c->pos < c->argc && c->argv[c->pos][0] == '-') {
		int r;

		if (!strcmp(c->argv[c->pos], "--help") || !strcmp(c->argv[c->pos], "-h")) {
			*help = true;
			return 0;
		}
		r = opt_next(c, tables, ELEMENTSOF(tables), NULL, NULL, e);
		if (r < 0)
			return r;
		if (r != OPT_STORED)
			return err_set(e, EINVAL, "%s before a command", q(c->argv[c->pos - 1]));
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct gantry g = {.data_fd = -EBADF};
	struct opt_cursor c = {.argc = argc, .argv = argv, .pos = 1};
	_cleanup_err_ struct err e = ERR_INIT;
	const struct command *cmd = NULL;
	bool help = false;
	int r;

	fd_sanitize_stdio();
	log_init("gantry");
	r = parse_globals(&g, &c, &help, &e);
	if (r == 0 && help) {
		help_print(stdout, NULL);
	} else if (r == 0 && c.pos >= argc) {
		help_print(stderr, NULL);
		log_error("missing command");
		r = EXIT_USAGE;
	} else if (r == 0) {
		cmd = command_find(&c, &e);
		r = cmd ? run_command(&g, cmd, &c, &e) : -EINVAL;
	}
	if (r < 0) {
		if (cmd)
			log_error("%s: %s", cmd->name, err_text(&e));
		else
			log_error("%s", err_text(&e));
		r = EXIT_FAILED;
	}
	/* Output that could not be written is a failure: a script would work on half a list. */
	if (fflush(stdout) == EOF && r == 0) {
		log_error("write to standard output: %s", strerror(errno));
		r = EXIT_FAILED;
	}
	context_done(&g);
	return r;
}
