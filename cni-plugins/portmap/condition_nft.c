/* Conditions in the words of nft(8). */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/portmap/condition.h"

static const struct key {
	const char *words; /* separated by single spaces */
	enum condition_field field;
	int family;	      /* 0: both */
	const char *protocol; /* a condition that the key implies; NULL: none */
} keys[] = {
	{"ip saddr", CONDITION_SOURCE, AF_INET, NULL},
	{"ip daddr", CONDITION_DESTINATION, AF_INET, NULL},
	{"ip6 saddr", CONDITION_SOURCE, AF_INET6, NULL},
	{"ip6 daddr", CONDITION_DESTINATION, AF_INET6, NULL},
	{"fib saddr type", CONDITION_SOURCE_TYPE, 0, NULL},
	{"fib daddr type", CONDITION_DESTINATION_TYPE, 0, NULL},
	{"iifname", CONDITION_INPUT, 0, NULL},
	{"meta iifname", CONDITION_INPUT, 0, NULL},
	{"iif", CONDITION_INPUT, 0, NULL},
	{"meta iif", CONDITION_INPUT, 0, NULL},
	{"oifname", CONDITION_OUTPUT, 0, NULL},
	{"meta oifname", CONDITION_OUTPUT, 0, NULL},
	{"oif", CONDITION_OUTPUT, 0, NULL},
	{"meta oif", CONDITION_OUTPUT, 0, NULL},
	{"ip protocol", CONDITION_PROTOCOL, AF_INET, NULL},
	{"ip6 nexthdr", CONDITION_PROTOCOL, AF_INET6, NULL},
	{"meta l4proto", CONDITION_PROTOCOL, 0, NULL},
	{"tcp sport", CONDITION_SOURCE_PORT, 0, "tcp"},
	{"tcp dport", CONDITION_DESTINATION_PORT, 0, "tcp"},
	{"udp sport", CONDITION_SOURCE_PORT, 0, "udp"},
	{"udp dport", CONDITION_DESTINATION_PORT, 0, "udp"},
	{"sctp sport", CONDITION_SOURCE_PORT, 0, "sctp"},
	{"sctp dport", CONDITION_DESTINATION_PORT, 0, "sctp"},
	{"th sport", CONDITION_SOURCE_PORT, 0, NULL},
	{"th dport", CONDITION_DESTINATION_PORT, 0, NULL},
	{"ct state", CONDITION_STATE, 0, NULL},
	{"meta mark", CONDITION_MARK, 0, NULL},
	{"mark", CONDITION_MARK, 0, NULL},
};

/* Words, and each of {},& as one of its own; quotes only hold a word together. */
static char **tokens_of(char *const *words)
{
	_cleanup_free_ char *text = strv_join(words, " ");
	char **tokens = NULL;
	const char *p = text;

	for (;;) {
		size_t len;

		p += strspn(p, " \t\n");
		if (!*p)
			return tokens;
		if (*p == '"') {
			len = strcspn(++p, "\"");
			strv_push(&tokens, xstrndup(p, len));
			p += len + (p[len] == '"');
			continue;
		}
		len = strchr("{},&", *p) ? 1 : strcspn(p, " \t\n{},&\"");
		strv_push(&tokens, xstrndup(p, len));
		p += len;
	}
}

struct parser {
	char *const *next;
	struct condition_syntax syntax;
	struct conditions *ret;
};

static bool take(struct parser *p, const char *word)
{
	if (!*p->next || strcmp(*p->next, word))
		return false;
	p->next++;
	return true;
}

static bool take_key(struct parser *p, const struct key *k)
{
	_cleanup_strv_ char **words = strv_split(k->words, ' ');
	size_t n = 0;

	while (words[n] && str_eq(p->next[n], words[n]))
		n++;
	if (words[n] || (k->family && k->family != p->syntax.family))
		return false;
	p->next += n;
	return true;
}

static int add_value(struct parser *p, struct condition *c, const char *mask, const char *key,
		     struct err *e)
{
	const char *word = *p->next;
	_cleanup_free_ char *text = NULL;
	const char *why;

	if (!word)
		return err_set(e, EINVAL, "%s: lacks its value", q(key));
	text = mask ? xasprintf("%s/%s", word, mask) : xstrdup(word);
	why = condition_add_value(c, &p->syntax, text);
	if (why)
		return err_set(e, EINVAL, "%s %s: %s", key, q(text), why);
	p->next++;
	return 0;
}

static int parse_values(struct parser *p, struct condition *c, const char *mask, const char *key,
			struct err *e)
{
	bool set = take(p, "{");
	int r;

	do {
		/* nft(8) allows a comma behind the last. */
		if (set && c->n && take(p, "}"))
			return 0;
		r = add_value(p, c, mask, key, e);
	} while (r >= 0 && take(p, ","));
	if (r >= 0 && set && !take(p, "}"))
		return err_set(e, EINVAL, "%s: a } is missing", q(key));
	return r;
}

static int parse_condition(struct parser *p, struct err *e)
{
	const char *mask = NULL;
	bool not;
	size_t i = 0;

	if (take(p, "comment"))
		return *p->next && p->next++ ? 0
					     : err_set(e, EINVAL, "\"comment\": lacks its value");
	while (i < ELEMENTSOF(keys) && !take_key(p, &keys[i]))
		i++;
	if (i == ELEMENTSOF(keys))
		return err_set(e, EINVAL, "%s%s%s: not supported", q(p->next[0]),
			       p->next[1] ? " " : "", p->next[1] ? q(p->next[1]) : "");
	if (keys[i].field == CONDITION_MARK && (take(p, "and") || take(p, "&"))) {
		mask = *p->next;
		p->next += mask ? 1 : 0;
	}
	not = take(p, "!=") || take(p, "ne");
	if (!not && !take(p, "=="))
		(void) take(p, "eq");
	if (keys[i].protocol)
		(void) condition_add_value(conditions_new(p->ret, CONDITION_PROTOCOL, false),
					   &p->syntax, keys[i].protocol);
	return parse_values(p, conditions_new(p->ret, keys[i].field, not), mask, keys[i].words, e);
}

int conditions_parse_nft(char *const *words, int family, struct conditions *ret, struct err *e)
{
	_cleanup_strv_ char **tokens = tokens_of(words);
	struct parser p = {
		.next = tokens,
		.syntax = {.range = '-', .any = '*', .family = family},
		.ret = ret,
	};
	int r = 0;

	while (r >= 0 && p.next && *p.next)
		r = parse_condition(&p, e);
	return r;
}
