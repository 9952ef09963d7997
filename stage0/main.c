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

static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	struct opt_table tables[] = {
		{cmd->opts, cmd->n_opts, target},
		{global_opts, n_global_opts, g},
	};

	if (cmd->parse)
		return cmd->parse(g, cmd, c, target, words, e);
	return opt_parse_all(c, tables, ELEMENTSOF(tables), cmd->stop_at_word, words, e);
}

/* A verb that is not built knows no options: they are not looked at, but for a wish for help. */
static int refuse(struct gantry *g, const struct command *cmd, const struct opt_cursor *c,
		  struct err *e)
{
	for (int i = c->pos; i < c->argc && !g->help; i++)
		g->help = !strcmp(c->argv[i], "--help") || !strcmp(c->argv[i], "-h");
	return g->help ? 0 : err_set(e, ENOTSUP, "%s", cmd->refused);
}

static int run_command(struct gantry *g, const struct command *cmd, struct opt_cursor *c,
		       struct err *e)
{
	_cleanup_free_ void *target = xcalloc(1, cmd->target_size + 1);
	_cleanup_strv_ char **words = NULL;
	int r = cmd->refused ? refuse(g, cmd, c, e) : parse(g, cmd, c, target, &words, e);

	if (g->help) {
		/* It wins over what stands behind it, as in every tool. */
		help_print(stdout, g, cmd);
		r = 0;
	} else if (cmd->is_family && r >= 0) {
		help_print(stderr, g, cmd);
		log_error("missing command");
		r = EXIT_USAGE;
	} else {
		if (r >= 0 && cmd->needs_root && geteuid() != 0)
			r = err_set(e, EPERM, "cannot run as unprivileged user");
		if (r >= 0)
			r = context_open(g, e);
		if (r >= 0)
			r = cmd->run(g, target, words, e);
	}
	if (cmd->done)
		cmd->done(target);
	return r;
}

/* "--name=value" of none of the global options: the command that follows may know it, as in rkt. */
static bool is_for_command(const char *word)
{
	size_t len = strcspn(word, "=");

	if (!str_starts(word, "--") || !word[len])
		return false;
	for (size_t i = 0; i < n_global_opts; i++)
		if (strlen(global_opts[i].name) == len - 2 &&
		    !memcmp(global_opts[i].name, word + 2, len - 2))
			return false;
	return true;
}

/* Options that stand before the verb: the global ones are read, those for the command put aside. */
static int parse_globals(struct gantry *g, struct opt_cursor *c, char ***later, struct err *e)
{
	struct opt_table tables[] = {{global_opts, n_global_opts, g}};

	while (c->pos < c->argc && c->argv[c->pos][0] == '-') {
		int r;

		if (is_for_command(c->argv[c->pos])) {
			strv_add(later, c->argv[c->pos++]);
			continue;
		}
		r = opt_next(c, tables, ELEMENTSOF(tables), NULL, NULL, e);
		if (r < 0)
			return r;
		if (r != OPT_STORED)
			return err_set(e, EINVAL, "%s before a command", q(c->argv[c->pos - 1]));
	}
	return 0;
}

/* The words again, with those that were put aside behind the verb. strv, owned by the caller. */
static char **with_later(struct opt_cursor *c, char *const *later)
{
	char **words = NULL;

	for (int i = 0; i < c->pos; i++)
		strv_add(&words, c->argv[i]);
	for (char *const *l = later; l && *l; l++)
		strv_add(&words, *l);
	for (int i = c->pos; i < c->argc; i++)
		strv_add(&words, c->argv[i]);
	c->argv = words;
	c->argc = (int) strv_len(words);
	return words;
}

static int run_words(struct gantry *g, struct opt_cursor *c, struct err *e)
{
	static char name[64];
	_cleanup_strv_ char **later = NULL, **words = NULL;
	const struct command *cmd;
	int r = parse_globals(g, c, &later, e);

	if (c->pos >= c->argc && g->help) {
		help_print(stdout, g, NULL);
		return 0;
	}
	if (r < 0)
		return r;
	if (c->pos >= c->argc) {
		help_print(stderr, g, NULL);
		log_error("missing command");
		return EXIT_USAGE;
	}
	cmd = command_find(c, e);
	if (!cmd)
		return -EINVAL;
	/* From here on every message names the command, whoever writes it. */
	(void) snprintf(name, sizeof name, "%s%s", g->rkt ? "" : "gantry: ", cmd->name);
	log_init(name);
	if (later)
		words = with_later(c, later);
	return run_command(g, cmd, c, e);
}

int main(int argc, char **argv)
{
	struct gantry g = {.data_fd = -EBADF};
	struct opt_cursor c = {.argc = argc, .argv = argv, .pos = 1};
	_cleanup_err_ struct err e = ERR_INIT;
	int r;

	fd_sanitize_stdio();
	context_name(&g, argv[0]);
	(void) unsetenv("GANTRY_LOG_NAME");
	log_init(g.program);
	r = run_words(&g, &c, &e);
	if (r < 0) {
		log_error("%s", err_text(&e));
		r = EXIT_FAILED;
	}
	/* Output that could not be written is a failure: a script would work on half a list. */
	if ((fflush(stdout) == EOF || ferror(stdout)) && r == 0) {
		log_error("write to standard output: %s", strerror(errno));
		r = EXIT_FAILED;
	}
	context_done(&g);
	return r;
}
