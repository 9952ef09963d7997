/*
 * nftables over netlink: the few objects and expressions that gantry uses.
 *
 * Everything between nft_begin() and nft_end() is one transaction: all of it happens or none of
 * it.  Written on libmnl alone: libnftnl would cost every plugin that can masquerade 0.1 ms at
 * its start, and the rules are static.  Numbers are in network order on the wire; callers use
 * host order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/ip.h"
#include "sys/netlink.h"

#define NFT_COMMENT_MAX 250

/*
 * Is every one of the sets there?  Looking first is cheap; a transaction that fails makes the
 * kernel wait for a grace period (14 ms) before it answers.
 */
int nft_have_sets(struct nl *nl, const char *table, char *const *sets, bool *ret, struct err *e);

void nft_begin(struct nl_batch *b);
void nft_end(struct nl_batch *b);

/* All in the inet family. flags: NLM_F_EXCL and the like. */
void nft_put_table(struct nl_batch *b, const char *table, uint16_t flags);
void nft_put_table_del(struct nl_batch *b, const char *table);
/* A base chain of type nat at the postrouting hook with the priority of source NAT. */
void nft_put_postrouting(struct nl_batch *b, const char *table, const char *chain);
/* A set of addresses of that family; id is any number that is unique in the transaction. */
void nft_put_set(struct nl_batch *b, const char *table, const char *set, int family, uint32_t id);
void nft_put_element(struct nl_batch *b, const char *table, const char *set, const struct ip *ip,
		     const char *comment, uint16_t flags);
void nft_put_element_del(struct nl_batch *b, const char *table, const char *set,
			 const struct ip *ip);

/* A rule is begun, gets its expressions in order, and is ended. */
struct nft_rule {
	struct nl_batch *b;
	struct nlattr *list;
};
void nft_rule_begin(struct nft_rule *r, struct nl_batch *b, const char *table, const char *chain,
		    const char *comment);
void nft_rule_end(struct nft_rule *r);
/* meta nfproto ipv4|ipv6 */
void nft_rule_family(struct nft_rule *r, int family);
/* ip saddr @set */
void nft_rule_source_in(struct nft_rule *r, int family, const char *set, uint32_t set_id);
/* ip daddr != net */
void nft_rule_destination_not(struct nft_rule *r, const struct cidr *net);
void nft_rule_masquerade(struct nft_rule *r);

/* Names of the table's sets, comments of its chain's rules; strv, owned. -ENOENT: no such table. */
int nft_list_sets(struct nl *nl, const char *table, char ***ret, struct err *e);
int nft_list_rules(struct nl *nl, const char *table, const char *chain, char ***ret, struct err *e);

struct nft_element {
	struct ip ip;
	char comment[NFT_COMMENT_MAX + 2];
};
int nft_list_elements(struct nl *nl, const char *table, const char *set, struct nft_element **ret,
		      size_t *ret_n, struct err *e);
