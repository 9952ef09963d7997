#include "base/opt.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"

static const struct opt *find(const struct opt_table *tables, size_t n_tables, const char *name, size_t len,
			      bool is_short, void **target)
{
	for (size_t t = 0; t < n_tables; t++) {
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct opt *o = &tables[t].opts[i];

			if (is_short ? (o->short_name && len == 1 && o->short_name == *name)
				     : (strlen(o->name) == len && !memcmp(o->name, name, len))) {
				*target = tables[t].target;
				return o;
			}
		}
	}
	return NULL;
}

static int store_flag(const struct opt *o, bool *field, const char *value)
{
	bool on;
	int r = parse_bool(value, &on);

	if (r == 0)
		*field = on == (o->type == OPT_FLAG);
	return r;
}

/* What would have been right, for a value that could not be read. */
static const char *expected(const struct opt *o, int r)
{
	if (r == -ERANGE)
		return "out of range";
	switch (o->type) {
	case OPT_FLAG:
	case OPT_FLAG_ON:
		return "true or false";
	case OPT_DURATION:
		return "not a duration like 1h30m or 0s";
	case OPT_I64:
		return "not a number";
	default:
		return strerror(-r);
	}
}

static int store(const struct opt *o, void *target, const char *value, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	char *field = (char *) target + o->offset;
	int r = 0;

	switch (o->type) {
	case OPT_FLAG:
	case OPT_FLAG_ON:
		r = store_flag(o, (bool *) field, value);
		break;
	case OPT_STRING:
		if (o->once && *(char **) field)
			return err_set(e, EINVAL, "--%s specified multiple times", o->name);
		free(*(char **) field);
		*(char **) field = xstrdup(value);
		break;
	case OPT_STRV:
	case OPT_OPTIONAL:
		strv_add((char ***) field, value);
		break;
	case OPT_DURATION:
		r = parse_duration(value, (int64_t *) field);
		break;
	case OPT_I64:
		r = parse_i64(value, INT64_MIN + 1, INT64_MAX, (int64_t *) field);
		break;
	case OPT_CALL:
		r = o->call(target, value, &why);
		break;
	}
	if (r < 0)
		return err_set(e, -r, "invalid argument %s for --%s: %s", q(value), o->name,
			       why.msg ? why.msg : expected(o, r));
	return 0;
}

/* "--name", "--name=value" or "-n": find the row and its value. */
static int read_option(struct opt_cursor *c, const struct opt_table *tables, size_t n_tables,
		       const struct opt **ret_opt, struct err *e)
{
	const char *word = c->argv[c->pos++];
	bool is_short = word[1] != '-';
	const char *name = word + (is_short ? 1 : 2), *value = strchr(name, '=');
	size_t len = value ? (size_t) (value - name) : strlen(name);
	void *target = NULL;
	const struct opt *o = find(tables, n_tables, name, len, is_short, &target);

	if (!o) {
		_cleanup_free_ char *bare = xstrndup(word, len + (is_short ? 1 : 2));
		_cleanup_free_ char *shown = str_escape(bare, strlen(bare));

		return err_set(e, EINVAL, "unknown flag: %s", shown);
	}
	if (o->refused)
		return err_set(e, ENOTSUP, "--%s: %s", o->name, o->refused);
	if (value)
		value++;
	else if (o->type == OPT_FLAG || o->type == OPT_FLAG_ON)
		value = "true";
	else if (o->type == OPT_OPTIONAL)
		value = o->bare;
	else if (c->pos < c->argc)
		value = c->argv[c->pos++];
	else
		return err_set(e, EINVAL, "flag needs an argument: --%s", o->name);
	if (ret_opt)
		*ret_opt = o;
	if (o->instead)
		log_info("--%s is deprecated, use %s", o->name, o->instead);
	return store(o, target, value, e);
}

int opt_next(struct opt_cursor *c, const struct opt_table *tables, size_t n_tables,
	     const struct opt **ret_opt, const char **ret_word, struct err *e)
{
	const char *word;
	int r;

	if (c->pos >= c->argc)
		return OPT_END;
	word = c->argv[c->pos];
	if (!strcmp(word, "--") || !strcmp(word, "---")) {
		c->pos++;
		return word[2] ? OPT_TRIPLE : OPT_ENDS;
	}
	if (word[0] == '-' && word[1]) {
		r = read_option(c, tables, n_tables, ret_opt, e);
		return r < 0 ? r : OPT_STORED;
	}
	c->pos++;
	if (ret_word)
		*ret_word = word;
	return OPT_WORD;
}

int opt_parse_all(struct opt_cursor *c, const struct opt_table *tables, size_t n_tables, bool stop_at_word,
		  char ***words, struct err *e)
{
	const char *word;

	for (;;) {
		int kind = opt_next(c, tables, n_tables, NULL, &word, e);

		if (kind <= 0)
			return kind;
		if (kind == OPT_STORED)
			continue;
		if (kind == OPT_WORD)
			strv_add(words, word);
		else if (kind == OPT_TRIPLE)
			strv_add(words, "---");
		if (kind == OPT_ENDS || stop_at_word)
			break;
	}
	while (c->pos < c->argc)
		strv_add(words, c->argv[c->pos++]);
	return 0;
}

static bool is_shown(const struct opt *o)
{
	return o->help && !o->refused;
}

static char *left_column(const struct opt *o)
{
	_cleanup_free_ char *shortened = o->short_name ? xasprintf("-%c, ", o->short_name) : xstrdup("");

	if (!o->arg)
		return xasprintf("  %s--%s", shortened, o->name);
	if (o->type == OPT_OPTIONAL)
		return xasprintf("  %s--%s[=%s]", shortened, o->name, o->arg);
	return xasprintf("  %s--%s=%s", shortened, o->name, o->arg);
}

void opt_help(FILE *f, const struct opt *opts, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *left = left_column(&opts[i]);

		if (is_shown(&opts[i]) && strlen(left) > width)
			width = strlen(left);
	}
	if (width > 34)
		width = 34;
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *left = left_column(&opts[i]);

		if (!is_shown(&opts[i]))
			continue;
		if (strlen(left) > width)
			fprintf(f, "%s\n%*s  %s\n", left, (int) width, "", opts[i].help);
		else
			fprintf(f, "%-*s  %s\n", (int) width, left, opts[i].help);
	}
}
