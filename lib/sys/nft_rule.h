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
/* ip saddr net; ip daddr net; != */
void nft_rule_source(struct nft_rule *r, const struct cidr *net);
void nft_rule_source_not(struct nft_rule *r, const struct cidr *net);
void nft_rule_destination(struct nft_rule *r, const struct cidr *net);
void nft_rule_destination_not(struct nft_rule *r, const struct cidr *net);
/* fib daddr type local */
void nft_rule_destination_local(struct nft_rule *r);
/* fib saddr type TYPE, fib daddr type TYPE (RTN_*); != */
void nft_rule_source_type(struct nft_rule *r, uint32_t type, bool is);
void nft_rule_destination_type(struct nft_rule *r, uint32_t type, bool is);
/* meta l4proto PROTOCOL; != */
void nft_rule_protocol(struct nft_rule *r, uint8_t protocol, bool is);
/* th sport FIRST-LAST, th dport FIRST-LAST; != */
void nft_rule_source_port(struct nft_rule *r, uint16_t first, uint16_t last, bool is);
void nft_rule_destination_port(struct nft_rule *r, uint16_t first, uint16_t last, bool is);
/* meta mark and MASK == VALUE; != */
void nft_rule_mark(struct nft_rule *r, uint32_t value, uint32_t bits, bool is);
/* ct state A,B (NF_CT_STATE_BIT() of each); != */
void nft_rule_state(struct nft_rule *r, uint32_t states, bool is);
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
/* iifname "prefix*", oifname "prefix*"; != */
void nft_rule_input_like(struct nft_rule *r, const char *prefix, bool is);
void nft_rule_output_like(struct nft_rule *r, const char *prefix, bool is);
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
