#include "cni-plugins/bridge/spoof.h"

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <net/if.h>
#include <string.h>

#include "base/mem.h"
#include "cni-plugins/skel/owned.h"

#define CHAIN "prerouting"
#define RULE "spoofed"
#define MAC_PADDED 8

static void build(struct owned_build *o)
{
	static const struct nft_chain chain = {
		CHAIN, "filter", NF_BR_PRE_ROUTING, NFT_PRIORITY_BRIDGE_DSTNAT};
	static const struct nft_set ports = {
		.name = "ports", .key_type = NFT_TYPE_IFNAME, .key_len = IFNAMSIZ};
	const struct nft_set macs = {.name = "macs",
				     .key_type = nft_type_with(NFT_TYPE_IFNAME, NFT_TYPE_ETHER),
				     .key_len = IFNAMSIZ + MAC_PADDED};
	uint32_t ports_id, macs_id;
	struct nft_rule r;

	nft_put_chain(o->b, o->table, &chain);
	ports_id = owned_put_set(o, &ports);
	macs_id = owned_put_set(o, &macs);
	if (owned_has_rule(o, RULE))
		return;
	nft_rule_begin(&r, o->b, o->table, CHAIN, RULE);
	nft_rule_input_in(&r, ports.name, ports_id);
	nft_rule_input_and_mac_not_in(&r, macs.name, macs_id);
	nft_rule_verdict(&r, NF_DROP);
	nft_rule_end(&r);
}

static unsigned uses(const char *chain _unused_, const void *arg _unused_)
{
	return 1;
}

static const char *const chains[] = {CHAIN, NULL};
static const struct owned_kind spoof = {
	.what = "MAC spoofing check",
	.family = NFPROTO_BRIDGE,
	.prefix = "gantry-spoof-",
	.lock = "spoof.lock",
	.chains = chains,
	.build = build,
	.uses = uses,
};

#define N_ELEMENTS 2

static void elements_of(const char *port, const unsigned char mac[LINK_MAC_LEN],
			struct owned_element list[static N_ELEMENTS])
{
	memset(list, 0, N_ELEMENTS * sizeof *list);
	for (size_t i = 0; i < N_ELEMENTS; i++) {
		(void) snprintf(list[i].set, sizeof list[i].set, "%s", i ? "macs" : "ports");
		(void) snprintf(list[i].name, sizeof list[i].name, "%s", port);
		(void) snprintf((char *) list[i].el.key, IFNAMSIZ, "%s", port);
		list[i].el.key_len = IFNAMSIZ;
	}
	memcpy(list[1].el.key + IFNAMSIZ, mac, LINK_MAC_LEN);
	list[1].el.key_len = IFNAMSIZ + MAC_PADDED;
}

int spoof_add(const struct cni_request *rq, const char *port, const unsigned char mac[LINK_MAC_LEN],
	      struct err *e)
{
	struct owned_element list[N_ELEMENTS];

	elements_of(port, mac, list);
	return owned_add(&spoof, rq, list, N_ELEMENTS, NULL, e);
}

int spoof_del(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return owned_del(&spoof, rq, late, e);
}

int spoof_gc(const struct cni_request *rq, struct nl *late, struct err *e)
{
	return owned_gc(&spoof, rq, late, e);
}

int spoof_check(const struct cni_request *rq, const char *port,
		const unsigned char mac[LINK_MAC_LEN], struct err *e)
{
	static char *const rules[] = {(char *) RULE, NULL};
	struct owned_element list[N_ELEMENTS];

	elements_of(port, mac, list);
	return owned_check(&spoof, rq, list, N_ELEMENTS, rules, e);
}
