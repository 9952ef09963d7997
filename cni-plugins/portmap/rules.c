#include "cni-plugins/portmap/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/portmap/condition_rule.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/hash.h"
#include "cni-plugins/skel/owned.h"

static const int families[] = {AF_INET, AF_INET6};

/* What build() and the elements are made from. */
struct wanted {
	const struct portmap_conf *conf;
	const struct cni_address *to[2]; /* by family; NULL: none */
};

static struct wanted wanted_of(const struct portmap_conf *c, const struct cni_result *res)
{
	return (struct wanted) {
		.conf = c, .to = {chain_address(res, AF_INET), chain_address(res, AF_INET6)}};
}

static int digit(int family)
{
	return family == AF_INET ? 4 : 6;
}

static void subnet_name(const char *prefix, const struct cidr *addr, char name[static NFT_NAME_MAX])
{
	struct cidr net = cidr_network(addr);
	char text[CIDR_TEXT_MAX];

	(void) snprintf(name, NFT_NAME_MAX, "%s-%s", prefix, cidr_text(&net, text));
	/* nft(8) reads no colon in a name. */
	for (char *p = name; *p; p++)
		if (*p == ':')
			*p = '-';
}

/* --- the static part --- */

static const struct nft_chain chain_table[] = {
	{"prerouting", "nat", NF_INET_PRE_ROUTING, NFT_PRIORITY_DSTNAT},
	{"output", "nat", NF_INET_LOCAL_OUT, NFT_PRIORITY_DSTNAT},
	{"hostports", NULL, 0, 0},
	{"postrouting", "nat", NF_INET_POST_ROUTING, NFT_PRIORITY_SRCNAT},
	{"guard", "filter", NF_INET_PRE_ROUTING, NFT_PRIORITY_RAW},
};
static const char *const chains[] = {"prerouting", "output", "hostports", "postrouting", "guard",
				     NULL};

/* The map of one family's mappings, or its k-th rule. */
static void map_name(const struct portmap_conf *c, int family, bool with_address, size_t k,
		     char name[static NFT_NAME_MAX])
{
	const struct conditions *when = &c->conditions[family == AF_INET6];
	int n = snprintf(name, NFT_NAME_MAX, "%s%d", with_address ? "one" : "any", digit(family));

	if (when->text)
		n += snprintf(name + n, (size_t) (NFT_NAME_MAX - n), "-%016llx",
			      (unsigned long long) cni_hash(when->text));
	if (k)
		(void) snprintf(name + n, (size_t) (NFT_NAME_MAX - n), ".%zu", k);
}

/* True when the rule is to be put; from now on it is there. */
static bool want_rule(struct owned_build *o, const char *comment)
{
	if (owned_has_rule(o, comment))
		return false;
	strv_add(&o->rules, comment);
	return true;
}

static bool begin_rule(struct owned_build *o, struct nft_rule *r, const char *chain,
		       const char *comment)
{
	if (!want_rule(o, comment))
		return false;
	nft_rule_begin(r, o->b, o->table, chain, comment);
	return true;
}

static void put_jump(struct owned_build *o, const char *chain)
{
	_cleanup_free_ char *comment = xasprintf("to-%s", chain);
	struct nft_rule r;

	if (!begin_rule(o, &r, chain, comment))
		return;
	nft_rule_destination_local(&r);
	nft_rule_jump(&r, "hostports");
	nft_rule_end(&r);
}

static void put_map(struct owned_build *o, int family, bool with_address)
{
	const struct wanted *w = o->arg;
	const struct conditions *when = &w->conf->conditions[family == AF_INET6];
	unsigned ip_len = family == AF_INET ? 4 : 16;
	enum nft_type ip = nft_type_of_ip(family);
	char name[NFT_NAME_MAX], comment[NFT_NAME_MAX];
	struct nft_set map = {.name = name,
			      .key_len = 8 + (with_address ? ip_len : 0),
			      .key_type = NFT_TYPE_PROTOCOL,
			      .data_type = nft_type_with(ip, NFT_TYPE_PORT),
			      .data_len = ip_len + 4};
	struct nft_rule r;
	uint32_t id;

	if (with_address)
		map.key_type = nft_type_with(ip, NFT_TYPE_PROTOCOL);
	map.key_type = nft_type_with(map.key_type, NFT_TYPE_PORT);
	map_name(w->conf, family, with_address, 0, name);
	id = owned_put_set(o, &map);
	for (size_t k = 0; k < conditions_rules(when); k++) {
		map_name(w->conf, family, with_address, k, comment);
		if (!want_rule(o, comment))
			continue;
		/* A mapping of one address goes before those of all, whoever came first. */
		(with_address ? nft_rule_begin_first : nft_rule_begin)(&r, o->b, o->table,
								       "hostports", comment);
		nft_rule_family(&r, family);
		conditions_put(&r, when, k);
		nft_rule_dnat_by_map(&r, family, with_address, name, id);
		nft_rule_end(&r);
	}
}

/* ct status dnat ip saddr FROM ip daddr @set masquerade; from NULL: whoever it is. */
static void put_masquerade(struct owned_build *o, const char *comment, const struct cidr *from,
			   int family, const char *set, uint32_t id)
{
	struct nft_rule r;

	if (!begin_rule(o, &r, "postrouting", comment))
		return;
	nft_rule_family(&r, family);
	nft_rule_was_dnat(&r);
	if (from)
		nft_rule_source(&r, from);
	nft_rule_destination_in(&r, family, set, id);
	nft_rule_masquerade(&r);
	nft_rule_end(&r);
}

static const struct cidr localhost = {.ip = {.family = AF_INET, .b = {127}}, .prefix = 8};

static void put_guard(struct owned_build *o)
{
	struct nft_rule r;

	if (!begin_rule(o, &r, "guard", "guard"))
		return;
	nft_rule_input(&r, "lo", false);
	nft_rule_family(&r, AF_INET);
	nft_rule_destination(&r, &localhost);
	nft_rule_verdict(&r, NF_DROP);
	nft_rule_end(&r);
}

static uint32_t put_address_set(struct owned_build *o, const char *name, int family)
{
	struct nft_set s = {.name = name,
			    .key_type = nft_type_of_ip(family),
			    .key_len = family == AF_INET ? 4 : 16};

	return owned_put_set(o, &s);
}

static void put_snat(struct owned_build *o, const struct cidr *addr)
{
	struct cidr net = cidr_network(addr);
	char set[NFT_NAME_MAX], lo[NFT_NAME_MAX];
	uint32_t id;

	subnet_name("snat", addr, set);
	subnet_name("lo", addr, lo);
	id = put_address_set(o, set, addr->ip.family);
	put_masquerade(o, set, &net, addr->ip.family, set, id);
	if (addr->ip.family != AF_INET)
		return;
	put_masquerade(o, lo, &localhost, AF_INET, set, id);
	put_guard(o);
}

static void build(struct owned_build *o)
{
	const struct wanted *w = o->arg;

	for (size_t i = 0; i < ELEMENTSOF(chain_table); i++)
		nft_put_chain(o->b, o->table, &chain_table[i]);
	for (size_t i = 0; i < ELEMENTSOF(families); i++) {
		_cleanup_free_ char *all = xasprintf("all%d", digit(families[i]));

		put_map(o, families[i], true);
		put_map(o, families[i], false);
		if (!w->to[i])
			continue;
		if (w->conf->snat)
			put_snat(o, &w->to[i]->addr);
		if (w->conf->masq_all)
			put_masquerade(o, all, NULL, families[i], all,
				       put_address_set(o, all, families[i]));
	}
	put_jump(o, "prerouting");
	put_jump(o, "output");
}

/*
 * One question for three chains: the two jumps, and the rule of a map with and of one without an
 * address for each way to meet the conditions.  Who flushes no more than one of the other two is found
 * by CHECK.
 */
static unsigned uses(const char *chain, const void *arg)
{
	const struct wanted *w = arg;

	if (strcmp(chain, "hostports"))
		return 0;
	return 2 + 2 * (unsigned) (conditions_rules(&w->conf->conditions[0]) +
				   conditions_rules(&w->conf->conditions[1]));
}

static const struct owned_kind portmap = {
	.what = "port mapping",
	.family = NFPROTO_INET,
	.prefix = "gantry-portmap-",
	.lock = "portmap.lock",
	.chains = chains,
	.conflict = true,
	.build = build,
	.uses = uses,
};

/* --- the elements --- */

struct elements {
	struct owned_element *list;
	size_t n;
};

static void elements_done(struct elements *x)
{
	free(x->list);
}
#define _cleanup_elements_ __attribute__((cleanup(elements_done)))

static struct owned_element *new_element(struct elements *x)
{
	x->list = xgrow(x->list, x->n, sizeof *x->list);
	x->list[x->n] = (struct owned_element) {0};
	return &x->list[x->n++];
}

static unsigned append(unsigned char *buf, unsigned len, const void *part, size_t n)
{
	/* Each part of a concatenation fills whole registers of 4 bytes. */
	memcpy(buf + len, part, n);
	return len + (unsigned) ((n + 3) & ~(size_t) 3);
}

static void add_mapping(struct elements *x, const struct portmap_conf *c,
			const struct port_mapping *m, const struct ip *to)
{
	struct owned_element *o = new_element(x);
	uint16_t from_port = htons(m->host_port), to_port = htons(m->container_port);
	bool one = port_mapping_has_address(m);

	map_name(c, to->family, one, 0, o->set);
	(void) snprintf(o->name, sizeof o->name, "host port %u/%s", m->host_port,
			port_protocol_name(m->protocol));
	if (one)
		o->el.key_len = append(o->el.key, 0, m->host_ip.b, ip_size(&m->host_ip));
	o->el.key_len = append(o->el.key, o->el.key_len, &m->protocol, 1);
	o->el.key_len = append(o->el.key, o->el.key_len, &from_port, 2);
	o->el.data_len = append(o->el.data, 0, to->b, ip_size(to));
	o->el.data_len = append(o->el.data, o->el.data_len, &to_port, 2);
}

static void add_container(struct elements *x, const char *set, const struct ip *ip)
{
	struct owned_element *o = new_element(x);

	(void) snprintf(o->set, sizeof o->set, "%s", set);
	(void) ip_text(ip, o->name);
	nft_element_ip(&o->el, ip);
}

static struct elements elements_of(const struct wanted *w)
{
	struct elements x = {0};

	for (size_t f = 0; f < ELEMENTSOF(families); f++) {
		const struct cni_address *to = w->to[f];
		_cleanup_free_ char *all = xasprintf("all%d", digit(families[f]));
		char set[NFT_NAME_MAX];
		size_t before = x.n;

		for (size_t i = 0; to && i < w->conf->n; i++)
			if (port_mapping_has(&w->conf->list[i], families[f]))
				add_mapping(&x, w->conf, &w->conf->list[i], &to->addr.ip);
		if (x.n == before)
			continue;
		subnet_name("snat", &to->addr, set);
		if (w->conf->snat)
			add_container(&x, set, &to->addr.ip);
		if (w->conf->masq_all)
			add_container(&x, all, &to->addr.ip);
	}
	return x;
}

int portmap_rules_add(const struct cni_request *rq, const struct portmap_conf *c,
		      const struct cni_result *res, struct err *e)
{
	struct wanted w = wanted_of(c, res);
	_cleanup_elements_ struct elements x = elements_of(&w);

	return owned_add(&portmap, rq, x.list, x.n, &w, e);
}

int portmap_rules_del(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return owned_del(&portmap, rq, late, e);
}

int portmap_rules_gc(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return owned_gc(&portmap, rq, late, e);
}

static void want_maps(char ***rules, const struct portmap_conf *c, int family)
{
	char name[NFT_NAME_MAX];

	for (size_t k = 0; k < conditions_rules(&c->conditions[family == AF_INET6]); k++) {
		map_name(c, family, true, k, name);
		strv_add(rules, name);
		map_name(c, family, false, k, name);
		strv_add(rules, name);
	}
}

int portmap_rules_check(const struct cni_request *rq, const struct portmap_conf *c, struct err *e)
{
	struct wanted w = wanted_of(c, &rq->prev);
	_cleanup_elements_ struct elements x = elements_of(&w);
	_cleanup_strv_ char **rules = NULL;
	char name[NFT_NAME_MAX];

	for (size_t i = 0; i < ELEMENTSOF(families); i++) {
		want_maps(&rules, c, families[i]);
		if (w.to[i] && c->masq_all)
			strv_push(&rules, xasprintf("all%d", digit(families[i])));
		if (!w.to[i] || !c->snat)
			continue;
		subnet_name("snat", &w.to[i]->addr, name);
		strv_add(&rules, name);
		if (families[i] != AF_INET)
			continue;
		subnet_name("lo", &w.to[i]->addr, name);
		strv_add(&rules, name);
		strv_add(&rules, "guard");
	}
	strv_add(&rules, "to-prerouting");
	strv_add(&rules, "to-output");
	return owned_check(&portmap, rq, x.list, x.n, rules, e);
}
