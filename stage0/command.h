/*
 * One verb of the command line.  commands.c lists them all; parsing, help and documentation derive
 * from the rows.
 *
 * main() reads the options into a zeroed target of target_size bytes and the words into a strv,
 * makes the context ready and calls run().  The global options are accepted before and after the
 * verb.
 */
#pragma once

#include "base/opt.h"
#include "stage0/context.h"

struct help_table {
	const char *title;
	const struct opt *opts;
	const size_t *n;
};

struct command {
	const char *name;    /* "run", "image list" */
	const char *usage;   /* what follows the name: "[--force] UUID..." */
	const char *summary; /* one line for the list of commands, no full stop */
	const char *details; /* more for `gantry help NAME`, may be NULL */
	const struct opt *opts;
	size_t n_opts;
	const struct help_table *help_tables; /* more tables that its parse() reads; ended by a zero
						 row; may be NULL */
	bool needs_root;
	bool stop_at_word;   /* options end at the first word */
	bool is_family; /* stands for its members, whose names begin with its own and a space */
	const char *refused; /* not NULL: known by name and not built, with the reason */
	size_t target_size;
	/* A grammar of its own; NULL: opt_parse_all(). */
	int (*parse)(struct gantry *g, const struct command *cmd, struct opt_cursor *c,
		     void *target, char ***words, struct err *e);
	/* Returns the exit status, or a negative errno with a message (then EXIT_FAILED). */
	int (*run)(struct gantry *g, void *target, char *const *words, struct err *e);
	void (*done)(void *target); /* frees what the options own; may be NULL */
};

#define COMMAND_OPTS(o) .opts = (o), .n_opts = ELEMENTSOF(o)

extern const struct command *const commands[]; /* ended by NULL */
extern const struct opt global_opts[];
extern const size_t n_global_opts;

/*
 * Find the verb at the cursor: exact, else by unique prefix; two words for families ("image l"),
 * whose own row is the answer when no second word is there.  NULL with a message; the cursor then
 * stands behind the verb.
 */
const struct command *command_find(struct opt_cursor *c, struct err *e);
/* By which name the program was called: a link named rkt behaves like rkt. */
void context_name(struct gantry *g, const char *argv0);
/* Make the context ready after all options are known. */
int context_open(struct gantry *g, struct err *e);
void context_done(struct gantry *g);
/* What lists of commands show: not the hidden ones, nor what is not built. */
bool command_is_shown(const struct command *cmd);
/* Help: NULL for the overview. */
void help_print(FILE *f, const struct gantry *g, const struct command *cmd);
