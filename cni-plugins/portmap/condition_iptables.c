/* Conditions in the words of iptables(8) and iptables-extensions(8). */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/portmap/condition.h"

/* Matches that -m may load; with a protocol it is also a condition. */
static const struct match {
	const char *name, *protocol;
} matches[] = {
	{"addrtype", NULL},  {"comment", NULL}, {"conntrack", NULL}, {"mark", NULL}, {"state", NULL},
	{"multiport", NULL}, {"tcp", "tcp"},	{"udp", "udp"},	     {"sctp", "sctp"},
};

static const struct option {
	const char *names[3];
	const char *match; /* which must be loaded; NULL: none (the mapping's protocol has the ports) */
	enum condition_field field;
	bool list; /* commas separate values */
} options[] = {
	{{"-s", "--source", "--src"}, NULL, CONDITION_SOURCE, true},
	{{"-d", "--destination", "--dst"}, NULL, CONDITION_DESTINATION, true},
	{{"-i", "--in-interface", NULL}, NULL, CONDITION_INPUT, false},
	{{"-o", "--out-interface", NULL}, NULL, CONDITION_OUTPUT, false},
	{{"-p", "--protocol", "--proto"}, NULL, CONDITION_PROTOCOL, false},
	{{"--sport", "--source-port", NULL}, NULL, CONDITION_SOURCE_PORT, false},
	{{"--dport", "--destination-port", NULL}, NULL, CONDITION_DESTINATION_PORT, false},
	{{"--sports", "--source-ports", NULL}, "multiport", CONDITION_SOURCE_PORT, true},
	{{"--dports", "--destination-ports", NULL}, "multiport", CONDITION_DESTINATION_PORT, true},
	{{"--src-type", NULL, NULL}, "addrtype", CONDITION_SOURCE_TYPE, true},
	{{"--dst-type", NULL, NULL}, "addrtype", CONDITION_DESTINATION_TYPE, true},
	{{"--ctstate", NULL, NULL}, "conntrack", CONDITION_STATE, true},
	{{"--state", NULL, NULL}, "state", CONDITION_STATE, true},
	{{"--mark", NULL, NULL}, "mark", CONDITION_MARK, false},
};

struct parser {
	char *const *next;
	bool not;
	unsigned loaded; /* bits: of `matches` */
	struct condition_syntax syntax;
	struct conditions *ret;
};

static int refuse(struct err *e, const char *word, const char *why)
{
	return err_set(e, EINVAL, "%s: %s", q(word), why);
}

static bool is_loaded(const struct parser *p, const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(matches); i++)
		if (!strcmp(matches[i].name, name))
			return p->loaded & 1u << i;
	return false;
}

static int load_match(struct parser *p, const char *name, struct err *e)
{
	size_t i = 0;

	while (i < ELEMENTSOF(matches) && strcmp(matches[i].name, name))
		i++;
	if (i == ELEMENTSOF(matches) || p->not)
		return err_set(e, EINVAL, "%s-m %s: not supported", p->not ? "! " : "", q(name));
	p->loaded |= 1u << i;
	if (matches[i].protocol)
		(void) condition_add_value(conditions_new(p->ret, CONDITION_PROTOCOL, false),
					   &p->syntax, matches[i].protocol);
	return 0;
}

static int add_condition(struct parser *p, const struct option *o, const char *word,
			 const char *value, struct err *e)
{
	_cleanup_strv_ char **values = strv_split(value, o->list ? ',' : '\0');
	struct condition *c;

	if (o->match && !is_loaded(p, o->match))
		return err_set(e, EINVAL, "%s: needs -m %s", q(word), o->match);
	/* Any protocol and any interface: no condition. */
	if (!p->not && ((o->field == CONDITION_PROTOCOL && str_eq(value, "all")) ||
			(o->field == CONDITION_INPUT && str_eq(value, "+")) ||
			(o->field == CONDITION_OUTPUT && str_eq(value, "+"))))
		return 0;
	c = conditions_new(p->ret, o->field, p->not);
	for (char **v = values; *v; v++) {
		const char *why = condition_add_value(c, &p->syntax, *v);

		if (why)
			return err_set(e, EINVAL, "%s %s: %s", word, q(*v), why);
	}
	p->not = false;
	return 0;
}

/* Where the option's value begins in this word: "" when it is the next one, NULL: another option. */
static const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(word, name, len))
		return NULL;
	word += len;
	if (!*word)
		return word;
	/* getopt_long(3): --name=VALUE, -nVALUE */
	if (name[1] == '-')
		return *word == '=' ? word + 1 : NULL;
	return word;
}

static const struct option *find_option(const char *word, const char **ret_value)
{
	for (size_t i = 0; i < ELEMENTSOF(options); i++)
		for (size_t k = 0; k < ELEMENTSOF(options[i].names) && options[i].names[k]; k++) {
			*ret_value = value_of(word, options[i].names[k]);
			if (*ret_value)
				return &options[i];
		}
	return NULL;
}

static int take_value(struct parser *p, const char *word, const char **ret, struct err *e)
{
	if (!*p->next)
		return refuse(e, word, "lacks its value");
	*ret = *p->next++;
	return 0;
}

static int parse_word(struct parser *p, const char *word, struct err *e)
{
	const struct option *o;
	const char *value = NULL;
	int r;

	if (!strcmp(word, "!")) {
		if (p->not)
			return refuse(e, word, "there twice");
		p->not = true;
		return 0;
	}
	if (!strcmp(word, "-m") || !strcmp(word, "--match")) {
		r = take_value(p, word, &value, e);
		return r < 0 ? r : load_match(p, value, e);
	}
	if (!strcmp(word, "--comment") && is_loaded(p, "comment") && !p->not)
		return take_value(p, word, &value, e);
	o = find_option(word, &value);
	if (!o)
		return refuse(e, word, "not supported");
	r = *value ? 0 : take_value(p, word, &value, e);
	return r < 0 ? r : add_condition(p, o, word, value, e);
}

int conditions_parse_iptables(char *const *words, int family, struct conditions *ret, struct err *e)
{
	struct parser p = {
		.next = words,
		.syntax = {.range = ':', .any = '+', .family = family},
		.ret = ret,
	};
	int r = 0;

	while (r >= 0 && *p.next)
		r = parse_word(&p, *p.next++, e);
	return r >= 0 && p.not ? refuse(e, "!", "nothing follows") : r;
}
