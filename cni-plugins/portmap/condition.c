#include "cni-plugins/portmap/condition.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/parse.h"
#include "base/str.h"

void conditions_done(struct conditions *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].values);
	free(c->list);
	free(c->text);
	*c = (struct conditions) {0};
}

struct condition *conditions_new(struct conditions *c, enum condition_field field, bool not)
{
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n] = (struct condition) {.field = field, .not = not};
	return &c->list[c->n++];
}

/* --- values --- */

struct word {
	const char *name;
	uint32_t value;
};

static const struct word protocols[] = {
	{"tcp", IPPROTO_TCP},	  {"udp", IPPROTO_UDP},	      {"sctp", IPPROTO_SCTP},
	{"icmp", IPPROTO_ICMP},	  {"icmpv6", IPPROTO_ICMPV6}, {"ipv6-icmp", IPPROTO_ICMPV6},
	{"dccp", IPPROTO_DCCP},	  {"udplite", IPPROTO_UDPLITE},
};
static const struct word types[] = {
	{"unspec", RTN_UNSPEC},		{"unicast", RTN_UNICAST},     {"local", RTN_LOCAL},
	{"broadcast", RTN_BROADCAST},	{"anycast", RTN_ANYCAST},     {"multicast", RTN_MULTICAST},
	{"blackhole", RTN_BLACKHOLE},	{"prohibit", RTN_PROHIBIT},
	{"unreachable", RTN_UNREACHABLE},
};
static const struct word states[] = {
	{"new", NF_CT_STATE_BIT(IP_CT_NEW)},
	{"established", NF_CT_STATE_BIT(IP_CT_ESTABLISHED)},
	{"related", NF_CT_STATE_BIT(IP_CT_RELATED)},
	{"invalid", NF_CT_STATE_INVALID_BIT},
	{"untracked", NF_CT_STATE_UNTRACKED_BIT},
};

static bool find_word(const struct word *list, size_t n, const char *text, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(list[i].name, text))
			continue;
		*ret = list[i].value;
		return true;
	}
	return false;
}

/* A whole number of 32 bits, decimal or with 0x. */
static bool parse_number(const char *text, uint32_t *ret)
{
	bool hex = !strncasecmp(text, "0x", 2);
	const char *digits = hex ? text + 2 : text;
	unsigned long long v;
	char *end;

	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	v = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || v > UINT32_MAX)
		return false;
	*ret = (uint32_t) v;
	return true;
}

/* "10.0.0.0/255.0.0.0", as iptables also has it: the length of a mask of ones and then zeros. */
static bool parse_netmask(const char *text, struct cidr *net)
{
	_cleanup_strv_ char **parts = strv_split(text, '/');
	struct ip mask;
	unsigned ones = 0;

	if (strv_len(parts) != 2 || ip_parse(parts[0], &net->ip) < 0 ||
	    ip_parse(parts[1], &mask) < 0 || mask.family != net->ip.family)
		return false;
	while (ones < ip_bits(&mask) && mask.b[ones / 8] & 0x80 >> ones % 8)
		ones++;
	net->prefix = ones;
	for (unsigned i = ones; i < ip_bits(&mask); i++)
		if (mask.b[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

static const char *parse_net(const char *text, const struct condition_syntax *syntax,
			     struct condition_value *v)
{
	if (ip_parse(text, &v->net.ip) == 0)
		v->net = cidr_host(&v->net.ip);
	else if (cidr_parse(text, &v->net) < 0 && !parse_netmask(text, &v->net))
		return "not an address or a network";
	return v->net.ip.family == syntax->family ? NULL : "of the other family";
}

static const char *parse_link(const char *text, const struct condition_syntax *syntax,
			      struct condition_value *v)
{
	size_t len = strlen(text);

	v->prefix = len && text[len - 1] == syntax->any;
	len -= v->prefix;
	if (!len || len >= sizeof v->link || memchr(text, '/', len))
		return "not an interface's name";
	memcpy(v->link, text, len);
	return NULL;
}

/* otherwise: what stands for none, which is no port where it is above all of them. */
static bool parse_port(const char *text, uint32_t otherwise, uint32_t *ret)
{
	uint64_t v;

	if (!*text && otherwise <= 65535) {
		*ret = otherwise;
		return true;
	}
	if (parse_u64(text, 65535, &v) < 0)
		return false;
	*ret = (uint32_t) v;
	return true;
}

static const char *parse_ports(const char *text, const struct condition_syntax *syntax,
			       struct condition_value *v)
{
	_cleanup_strv_ char **parts = strv_split(text, syntax->range);
	size_t n = strv_len(parts);
	/* iptables leaves an end out: "1024:" */
	bool open = n == 2 && syntax->range == ':';

	if (n > 2 || !parse_port(parts[0], open ? 0 : UINT32_MAX, &v->low) ||
	    !parse_port(parts[n - 1], open ? 65535 : UINT32_MAX, &v->high) || v->low > v->high)
		return "not a port's number or a range";
	return NULL;
}

static const char *parse_mark(const char *text, struct condition_value *v)
{
	_cleanup_strv_ char **parts = strv_split(text, '/');
	size_t n = strv_len(parts);

	v->high = UINT32_MAX;
	if (n > 2 || !parse_number(parts[0], &v->low) ||
	    (n == 2 && !parse_number(parts[1], &v->high)))
		return "not a mark";
	return NULL;
}

static const char *parse_value(const struct condition *c, const struct condition_syntax *syntax,
			       const char *text, struct condition_value *v)
{
	switch (c->field) {
	case CONDITION_SOURCE:
	case CONDITION_DESTINATION:
		return parse_net(text, syntax, v);
	case CONDITION_INPUT:
	case CONDITION_OUTPUT:
		return parse_link(text, syntax, v);
	case CONDITION_SOURCE_PORT:
	case CONDITION_DESTINATION_PORT:
		return parse_ports(text, syntax, v);
	case CONDITION_MARK:
		return parse_mark(text, v);
	case CONDITION_SOURCE_TYPE:
	case CONDITION_DESTINATION_TYPE:
		return find_word(types, ELEMENTSOF(types), text, &v->low)
			       ? NULL
			       : "not a type of addresses";
	case CONDITION_STATE:
		return find_word(states, ELEMENTSOF(states), text, &v->low)
			       ? NULL
			       : "not a state that is supported";
	case CONDITION_PROTOCOL:
		return find_word(protocols, ELEMENTSOF(protocols), text, &v->low) ||
				       (parse_number(text, &v->low) && v->low && v->low < 256)
			       ? NULL
			       : "not a protocol";
	}
	return "not supported";
}

const char *condition_add_value(struct condition *c, const struct condition_syntax *syntax,
				const char *text)
{
	struct condition_value v = {0};
	const char *why = parse_value(c, syntax, text, &v);

	if (why)
		return why;
	/* States are bits: any number of them is one comparison. */
	if (c->field == CONDITION_STATE && c->n) {
		c->values[0].low |= v.low;
		return NULL;
	}
	c->values = xgrow(c->values, c->n, sizeof *c->values);
	c->values[c->n++] = v;
	return NULL;
}

/* --- the whole --- */

bool conditions_are_for_iptables(char *const *words)
{
	return words && *words && (**words == '-' || **words == '!');
}

size_t conditions_rules(const struct conditions *c)
{
	size_t rules = 1;

	for (size_t i = 0; i < c->n; i++)
		if (!c->list[i].not && rules <= CONDITIONS_MAX_RULES)
			rules *= c->list[i].n;
	return rules;
}

static size_t comparisons(const struct conditions *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->list[i].not ? c->list[i].n : 1;
	return n;
}

int conditions_parse(char *const *words, int family, struct conditions *ret, struct err *e)
{
	_cleanup_free_ char *text = strv_join(words, " ");
	int r;

	if (!words || !text[strspn(text, " ")])
		return 0;
	r = conditions_are_for_iptables(words) ? conditions_parse_iptables(words, family, ret, e)
					       : conditions_parse_nft(words, family, ret, e);
	if (r >= 0 && (comparisons(ret) > CONDITIONS_MAX_VALUES ||
		       conditions_rules(ret) > CONDITIONS_MAX_RULES))
		r = err_set(e, EINVAL, "more than %d comparisons, or %d combinations of values",
			    CONDITIONS_MAX_VALUES, CONDITIONS_MAX_RULES);
	if (r >= 0)
		ret->text = take_ptr(text);
	return r;
}
