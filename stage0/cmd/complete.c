/*
 * gantry __complete WORD... PART: what PART could become, for the shells' completion functions; one
 * proposal to a line, with a tab and its meaning behind it where there is one.  Words that are for
 * the shell itself: ":files".  Hidden.
 *
 * Everything comes from the tables of the program and from what is in the data directory.  Whatever
 * goes wrong means fewer proposals, never a message into somebody's command line.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/command.h"
#include "stage0/pod/pod.h"
#include "stage0/store/store.h"

/* What was read of the command line so far. */
struct line {
	struct gantry *g;
	const struct command *cmd; /* NULL: none yet */
	const struct opt *open;	   /* the option that waits for its value */
	const char *part;
	bool program; /* behind "--": words of the app */
	bool bad;
};

static void propose(const struct line *l, const char *word, const char *meaning)
{
	if (str_starts(word, l->part))
		printf("%s%s%s\n", word, meaning ? "\t" : "", meaning ? meaning : "");
}

/* --- options --- */

typedef bool (*opt_visit)(void *arg, const struct opt *o);

static bool each_in(const struct opt *opts, size_t n, opt_visit visit, void *arg)
{
	for (size_t i = 0; i < n; i++)
		if (!opts[i].refused && visit(arg, &opts[i]))
			return true;
	return false;
}

/* Every option that may stand here, until visit() says that it is enough. */
static void each_option(const struct command *cmd, opt_visit visit, void *arg)
{
	if (cmd && each_in(cmd->opts, cmd->n_opts, visit, arg))
		return;
	for (const struct help_table *t = cmd ? cmd->help_tables : NULL; t && t->title; t++)
		if (each_in(t->opts, *t->n, visit, arg))
			return;
	each_in(global_opts, n_global_opts, visit, arg);
}

struct search {
	const char *name;
	size_t len;
	const struct opt *found;
};

static bool is_it(void *arg, const struct opt *o)
{
	struct search *s = arg;

	if (strlen(o->name) == s->len && !strncmp(o->name, s->name, s->len))
		s->found = o;
	return s->found;
}

static const struct opt *option_of(const struct command *cmd, const char *word)
{
	struct search s = {.name = word + 2, .len = strcspn(word + 2, "=")};

	if (!str_starts(word, "--") || !s.len)
		return NULL;
	each_option(cmd, is_it, &s);
	return s.found;
}

static bool propose_option(void *arg, const struct opt *o)
{
	const struct line *l = arg;
	bool takes = o->type != OPT_FLAG && o->type != OPT_OPTIONAL;
	_cleanup_free_ char *word = xasprintf("--%s%s", o->name, takes ? "=" : "");

	if (o->help)
		propose(l, word, o->help);
	return false;
}

/* --- values and words --- */

/* "new|update|never" as a placeholder is the list of what may stand there. */
static void propose_choices(const struct line *l, const char *list, const char *before)
{
	_cleanup_strv_ char **words = strv_split(list, '|');

	for (char **w = words; *w; w++) {
		_cleanup_free_ char *word = xasprintf("%s%s", before, *w);

		if (**w >= 'a' && **w <= 'z')
			propose(l, word, NULL);
	}
}

static bool names_a_file(const char *arg)
{
	return arg && (!strcmp(arg, "PATH") || !strcmp(arg, "DIR") || !strcmp(arg, "FILE"));
}

static void propose_value(const struct line *l, const struct opt *o, const char *before)
{
	if (names_a_file(o->arg))
		puts(":files");
	else if (o->arg)
		propose_choices(l, o->arg, before);
}

static void propose_pods(const struct line *l)
{
	_cleanup_fd_ int pods = pods_open(l->g, true, NULL);
	_cleanup_strv_ char **uuids = NULL;

	if (pods_list(pods, PHASES_SHOWN, &uuids, NULL) < 0)
		return;
	for (char **u = uuids; u && *u; u++)
		propose(l, *u, NULL);
}

static void propose_images(const struct line *l)
{
	_cleanup_fd_ int store = store_open_existing(l->g, NULL);
	struct store_list list = {0};

	if (store < 0 || store_list(store, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.n; i++) {
		const struct store_info *info = &list.v[i];
		_cleanup_free_ char *word = xasprintf("%s%s%s", info->name, info->version ? ":" : "",
						      info->version ? info->version : "");
		_cleanup_free_ char *safe = str_escape(word, strlen(word));

		propose(l, safe, NULL);
		if (str_starts(l->part, "sha512-"))
			propose(l, info->id, safe);
	}
	store_list_done(&list);
}

static void propose_commands(const struct line *l, const char *family)
{
	size_t len = strlen(family);

	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name;

		if (command_is_shown(commands[i]) && str_starts(name, family) &&
		    !strchr(name + len, ' '))
			propose(l, name + len, commands[i]->summary);
	}
}

/* What the words of a command are stands in its usage. */
static void propose_words(const struct line *l)
{
	const char *usage = l->cmd->usage ? l->cmd->usage : "";

	if (l->cmd->is_family) {
		_cleanup_free_ char *family = xasprintf("%s ", l->cmd->name);

		propose_commands(l, family);
		return;
	}
	if (strstr(usage, "UUID"))
		propose_pods(l);
	if (strstr(usage, "IMAGE"))
		propose_images(l);
	if (strstr(usage, "COMMAND"))
		propose_commands(l, "");
	if (strchr(usage, '|'))
		propose_choices(l, usage, "");
	if (strstr(usage, "IMAGE") || strstr(usage, "FILE") || strstr(usage, "DIR") ||
	    strstr(usage, "KEY") || strstr(usage, "OUT"))
		puts(":files");
}

/* --- the line --- */

/* Global options change where pods and images are looked for. */
static void take_global(struct line *l, const char *option, const char *value)
{
	_cleanup_strv_ char **words = NULL;
	struct opt_table tables[] = {{global_opts, n_global_opts, l->g}};
	struct opt_cursor c = {0};

	strv_add(&words, option);
	if (value)
		strv_add(&words, value);
	c.argv = words;
	c.argc = (int) strv_len(words);
	(void) opt_next(&c, tables, ELEMENTSOF(tables), NULL, NULL, NULL);
}

static void read_option(struct line *l, const char *word)
{
	const struct opt *o = option_of(l->cmd, word);

	if (!o)
		return;
	if (strchr(word, '=') || o->type == OPT_FLAG || o->type == OPT_OPTIONAL)
		take_global(l, word, NULL);
	else
		l->open = o;
}

static void read_command(struct line *l, char *const *words, size_t *i, size_t n)
{
	struct opt_cursor c = {.argc = (int) n, .argv = words, .pos = (int) *i};

	l->cmd = command_find(&c, NULL);
	l->bad = !l->cmd;
	*i = (size_t) c.pos - 1;
}

static void read_line(struct line *l, char *const *words, size_t n)
{
	for (size_t i = 0; i < n && !l->bad; i++) {
		if (l->open) {
			_cleanup_free_ char *option = xasprintf("--%s", l->open->name);

			take_global(l, option, words[i]);
			l->open = NULL;
		} else if (!strcmp(words[i], "--") || !strcmp(words[i], "---")) {
			l->program = words[i][2] == '\0';
		} else if (!l->program && words[i][0] == '-') {
			read_option(l, words[i]);
		} else if (!l->cmd) {
			read_command(l, words, &i, n);
		}
	}
}

static void complete(struct line *l)
{
	const char *equals = strchr(l->part, '=');

	if (l->bad)
		return;
	if (l->program) {
		puts(":files");
	} else if (l->open) {
		propose_value(l, l->open, "");
	} else if (str_starts(l->part, "--") && equals) {
		_cleanup_free_ char *before = xstrndup(l->part, (size_t) (equals + 1 - l->part));
		const struct opt *o = option_of(l->cmd, l->part);

		if (o)
			propose_value(l, o, before);
	} else if (l->part[0] == '-') {
		each_option(l->cmd, propose_option, l);
	} else if (!l->cmd) {
		propose_commands(l, "");
	} else {
		propose_words(l);
	}
}

/* Everything is words here: they are somebody's unfinished line, not ours. */
static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	(void) g;
	(void) cmd;
	(void) target;
	(void) e;
	while (c->pos < c->argc)
		strv_add(words, c->argv[c->pos++]);
	return 0;
}

/* Its own context: that of the line, which may name another data directory. */
static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct gantry of_line = {.program = g->program, .rkt = g->rkt, .data_fd = -EBADF};
	struct line l = {.g = &of_line, .part = ""};
	size_t n = strv_len(words);

	(void) target;
	(void) e;
	if (n)
		l.part = words[n - 1];
	read_line(&l, words, n ? n - 1 : 0);
	if (context_open(&of_line, NULL) == 0)
		complete(&l);
	context_done(&of_line);
	return 0;
}

const struct command cmd_complete = {
	.name = "__complete",
	.usage = "WORD...",
	.parse = parse,
	.run = run,
};
