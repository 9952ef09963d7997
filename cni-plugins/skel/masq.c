#include "cni-plugins/skel/masq.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/owned.h"

#define CHAIN "postrouting"

const char *masq_backend_check(const char *value)
{
	return !*value || !strcmp(value, "nftables") || !strcmp(value, "iptables")
		       ? NULL
		       : "unknown backend";
}

static void set_name(const struct cidr *addr, char name[static NFT_NAME_MAX])
{
	struct cidr net = cidr_network(addr);
	char text[CIDR_TEXT_MAX];

	(void) snprintf(name, NFT_NAME_MAX, "from-%s", cidr_text(&net, text));
	/* nft(8) reads no colon in a name. */
	for (char *p = name; *p; p++)
		if (*p == ':')
			*p = '-';
}

static void put_rule(struct owned_build *o, const struct cidr *addr, const char *set, uint32_t id)
{
	struct cidr multicast = {.ip = {.family = addr->ip.family}};
	struct cidr net = cidr_network(addr);
	struct nft_rule r;

	multicast.ip.b[0] = addr->ip.family == AF_INET ? 224 : 0xff;
	multicast.prefix = addr->ip.family == AF_INET ? 4 : 8;
	nft_rule_begin(&r, o->b, o->table, CHAIN, set);
	nft_rule_family(&r, addr->ip.family);
	nft_rule_source_in(&r, addr->ip.family, set, id);
	nft_rule_destination_not(&r, &net);
	nft_rule_destination_not(&r, &multicast);
	nft_rule_masquerade(&r);
	nft_rule_end(&r);
}

static void build(struct owned_build *o)
{
	static const struct nft_chain chain = {
		.name = CHAIN,
		.type = "nat",
		.hook = NF_INET_POST_ROUTING,
		.priority = NFT_PRIORITY_SRCNAT,
	};
	const struct cni_result *res = o->arg;

	nft_put_chain(o->b, o->table, &chain);
	for (size_t i = 0; i < res->n_ips; i++) {
		const struct cidr *addr = &res->ips[i].addr;
		char set[NFT_NAME_MAX];
		struct nft_set s = {.name = set,
				    .key_type = nft_type_of_ip(addr->ip.family),
				    .key_len = (unsigned) ip_size(&addr->ip)};
		uint32_t id;

		set_name(addr, set);
		id = owned_put_set(o, &s);
		if (owned_has_rule(o, set))
			continue;
		put_rule(o, addr, set, id);
		strv_add(&o->rules, set);
	}
}

/* One rule for each subnet. */
static unsigned uses(const char *chain _unused_, const void *arg)
{
	const struct cni_result *res = arg;
	_cleanup_strv_ char **sets = NULL;
	char set[NFT_NAME_MAX];

	for (size_t i = 0; i < res->n_ips; i++) {
		set_name(&res->ips[i].addr, set);
		if (!strv_has(sets, set))
			strv_add(&sets, set);
	}
	return (unsigned) strv_len(sets);
}

static const char *const chains[] = {CHAIN, NULL};
static const struct owned_kind masq = {
	.what = "masquerading",
	.family = NFPROTO_INET,
	.prefix = "gantry-masq-",
	.lock = "masq.lock",
	.chains = chains,
	.build = build,
	.uses = uses,
};

static struct owned_element *elements_of(const struct cni_result *res)
{
	struct owned_element *list = xcalloc(res->n_ips + 1, sizeof *list);

	for (size_t i = 0; i < res->n_ips; i++) {
		set_name(&res->ips[i].addr, list[i].set);
		nft_element_ip(&list[i].el, &res->ips[i].addr.ip);
		(void) cidr_text(&res->ips[i].addr, list[i].name);
	}
	return list;
}

int masq_add(const struct cni_request *rq, const struct cni_result *res, struct err *e)
{
	_cleanup_free_ struct owned_element *list = elements_of(res);

	return owned_add(&masq, rq, list, res->n_ips, res, e);
}

int masq_del(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return owned_del(&masq, rq, late, e);
}

int masq_gc(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return owned_gc(&masq, rq, late, e);
}

int masq_check(const struct cni_request *rq, struct err *e)
{
	_cleanup_free_ struct owned_element *list = elements_of(&rq->prev);
	_cleanup_strv_ char **rules = NULL;

	/* The rule of a subnet is named as its set. */
	for (size_t i = 0; i < rq->prev.n_ips; i++)
		strv_add(&rules, list[i].set);
	return owned_check(&masq, rq, list, rq->prev.n_ips, rules, e);
}
