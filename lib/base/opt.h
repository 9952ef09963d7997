/*
 * Command line options from tables: parsing, help and documentation all read the same rows.
 *
 * The grammar is that of rkt (Go's pflag): --name=value or --name value, -n value; a flag takes its
 * value only by "="; names are never abbreviated; an unknown name is an error that names it.
 * The caller pulls one word at a time, so that grammars which mix words and options (images with
 * options of their own, "--", "---") are loops in their own files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum opt_type {
	OPT_FLAG,     /* bool; "--x" is true, "--x=false" */
	OPT_FLAG_ON,  /* bool, on when not given: the field is set by "--x=false", cleared by "--x" */
	OPT_STRING,   /* char *, owned; the last one wins */
	OPT_STRV,     /* char **, each use appends */
	OPT_OPTIONAL, /* char **, each use appends; bare "--x" appends `bare`; a value only by "=" */
	OPT_DURATION, /* int64_t nanoseconds */
	OPT_I64,      /* int64_t */
	OPT_CALL,     /* call(target, value) */
};

struct opt {
	const char *name;
	char short_name;
	enum opt_type type;
	size_t offset;	  /* of the field in the target; unused for OPT_CALL */
	const char *arg;  /* placeholder in help: "PATH"; NULL for flags */
	const char *help; /* one line; NULL: hidden */
	const char *bare; /* OPT_OPTIONAL: the value of the bare form */
	int (*call)(void *target, const char *value, struct err *e);
	const char *refused; /* not NULL: known by name and refused, with this reason */
	const char *instead; /* not NULL: an old name; said in a message, and what to write now */
	bool once;	     /* OPT_STRING: a second use is an error */
	unsigned scope;	     /* free for the caller (which command, which target) */
};

/* Several tables may be searched, each with its own target. */
struct opt_table {
	const struct opt *opts;
	size_t n;
	void *target;
};
#define OPT_TABLE(o, t) {.opts = (o), .n = ELEMENTSOF(o), .target = (t)}

struct opt_cursor {
	int argc;
	char *const *argv;
	int pos;
};

enum opt_kind {
	OPT_END = 0, /* no word left */
	OPT_STORED,  /* an option was read and stored; *which tells */
	OPT_WORD,    /* a word that is no option ("-" is one): *word */
	OPT_ENDS,    /* "--" */
	OPT_TRIPLE,  /* "---" */
};

/*
 * Read the next word. Returns an opt_kind, or -EINVAL with a message: "unknown flag: --foo",
 * "flag needs an argument: --foo", "invalid argument \"x\" for --foo: ...", "--foo: <refused>".
 * ret_opt and ret_word may be NULL.
 */
int opt_next(struct opt_cursor *c, const struct opt_table *tables, size_t n_tables,
	     const struct opt **ret_opt, const char **ret_word, struct err *e);
/*
 * The usual whole: options anywhere, words collected into *words (strv, owned by the caller); after
 * "--" everything is a word. stop_at_word: the first word ends the options (it and all after it are words).
 */
int opt_parse_all(struct opt_cursor *c, const struct opt_table *tables, size_t n_tables, bool stop_at_word,
		  char ***words, struct err *e);
/* Two columns "  --name=ARG   help", sorted as in the table; refused and hidden rows are left out. */
void opt_help(FILE *f, const struct opt *opts, size_t n);
