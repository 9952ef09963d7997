/*
 * One nftables rule, expression by expression: begun, filled in order, ended.  The names are those
 * of nft(8)'s syntax.  Where a function says nothing else, register 1 is its scratch.
 */
#pragma once

#include "sys/nft.h"

struct nft_rule {
	struct nl_batch *b;
	struct nlattr *list;
};
/* Appended to the chain, or in front of it. */
void nft_rule_begin(struct nft_rule *r, struct nl_batch *b, const struct nft_table *t,
		    const char *chain, const char *comment);
void nft_rule_begin_first(struct nft_rule *r, struct nl_batch *b, const struct nft_table *t,
			  const char *chain, const char *comment);
void nft_rule_end(struct nft_rule *r);

/* meta nfproto ipv4|ipv6 */
void nft_rule_family(struct nft_rule *r, int family);
/* ip saddr @set */
void nft_rule_source_in(struct nft_rule *r, int family, const char *set, uint32_t set_id);
/* ip daddr @set */
void nft_rule_destination_in(struct nft_rule *r, int family, const char *set, uint32_t set_id);
/* ip saddr net; ip daddr net; ip daddr != net */
void nft_rule_source(struct nft_rule *r, const struct cidr *net);
void nft_rule_destination(struct nft_rule *r, const struct cidr *net);
void nft_rule_destination_not(struct nft_rule *r, const struct cidr *net);
/* fib daddr type local */
void nft_rule_destination_local(struct nft_rule *r);
/* ct status dnat */
void nft_rule_was_dnat(struct nft_rule *r);
/* ct state established,related */
void nft_rule_established(struct nft_rule *r);
/*
 * The same and what was redirected here by DNAT, as iptables writes it (xt_conntrack revision 3): the
 * tables of iptables-nft may hold nothing that iptables cannot list.
 */
void nft_rule_xt_established_or_dnat(struct nft_rule *r);
/* iifname "name", oifname "name"; != */
void nft_rule_input(struct nft_rule *r, const char *link, bool is);
void nft_rule_output(struct nft_rule *r, const char *link, bool is);
/* iifname @set */
void nft_rule_input_in(struct nft_rule *r, const char *set, uint32_t set_id);
/* iifname . ether saddr != @set, in the bridge family; a key is 16 and 8 bytes long */
void nft_rule_input_and_mac_not_in(struct nft_rule *r, const char *set, uint32_t set_id);

/*
 * dnat ip to [ip daddr .] meta l4proto . th dport map @map; the rule does not match when the map
 * has no such key.
 */
void nft_rule_dnat_by_map(struct nft_rule *r, int family, bool with_address, const char *map,
			  uint32_t map_id);
void nft_rule_masquerade(struct nft_rule *r);
void nft_rule_counter(struct nft_rule *r);
void nft_rule_jump(struct nft_rule *r, const char *chain);
/* A verdict that ends the rule: NF_ACCEPT, NF_DROP, NFT_RETURN. */
void nft_rule_verdict(struct nft_rule *r, int verdict);
