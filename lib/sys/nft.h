/*
 * nftables over netlink: the few objects and expressions that gantry uses.
 *
 * Everything between nft_begin() and nft_end() is one transaction: all of it happens or none of
 * it.  Without libnftnl, which would cost every plugin that can masquerade 0.1 ms at its start and is
 * not there for static programs; the rules are few.  Numbers are in network order on the wire; callers use
 * host order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/ip.h"
#include "sys/netlink.h"

#define NFT_COMMENT_MAX 250
#define NFT_NAME_MAX 256 /* NFT_NAME_MAXLEN */
#define NFT_KEY_MAX 24	 /* an IPv6 address, a protocol, a port, each padded to 4 bytes */

struct nft_table {
	int family; /* NFPROTO_INET, NFPROTO_IPV4, NFPROTO_BRIDGE, ... */
	const char *name;
};

void nft_begin(struct nl_batch *b);
void nft_end(struct nl_batch *b);

/* flags: NLM_F_EXCL and the like. */
void nft_put_table(struct nl_batch *b, const struct nft_table *t, uint16_t flags);
void nft_put_table_del(struct nl_batch *b, const struct nft_table *t);

/* A base chain has a type; one without is only jumped to. */
struct nft_chain {
	const char *name;
	const char *type; /* "nat", "filter"; NULL: no base chain */
	unsigned hook;	  /* NF_INET_POST_ROUTING, NF_BR_PRE_ROUTING, ... */
	int priority;	  /* see the NFT_PRIORITY_* below */
};
#define NFT_PRIORITY_RAW (-300)
#define NFT_PRIORITY_DSTNAT (-100)
#define NFT_PRIORITY_FILTER 0
#define NFT_PRIORITY_SRCNAT 100
#define NFT_PRIORITY_BRIDGE_DSTNAT (-300) /* nft(8): dstnat of the bridge family */
void nft_put_chain(struct nl_batch *b, const struct nft_table *t, const struct nft_chain *c);
void nft_put_chain_flush(struct nl_batch *b, const struct nft_table *t, const char *chain);
void nft_put_chain_del(struct nl_batch *b, const struct nft_table *t, const char *chain);

/* How nft(8) numbers the types of keys and data; concatenated: nft_type_with(). */
enum nft_type {
	NFT_TYPE_IPV4 = 7,
	NFT_TYPE_IPV6 = 8,
	NFT_TYPE_ETHER = 9,
	NFT_TYPE_PROTOCOL = 12,
	NFT_TYPE_PORT = 13,
	NFT_TYPE_IFNAME = 41,
};
static inline uint32_t nft_type_with(uint32_t first, enum nft_type next)
{
	return first << 6 | (uint32_t) next;
}
static inline enum nft_type nft_type_of_ip(int family)
{
	return family == AF_INET ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6;
}

struct nft_set {
	const char *name;
	uint32_t id;	   /* any number that is unique in the transaction */
	uint32_t key_type; /* parts of a concatenation are padded to 4 bytes each */
	unsigned key_len;
	uint32_t data_type; /* a map's; 0: a set */
	unsigned data_len;
};
void nft_put_set(struct nl_batch *b, const struct nft_table *t, const struct nft_set *s);

struct nft_element {
	unsigned char key[NFT_KEY_MAX], data[NFT_KEY_MAX];
	unsigned key_len, data_len; /* data_len 0: of a set */
	char comment[NFT_COMMENT_MAX + 2];
};
/* Key: the address. */
void nft_element_ip(struct nft_element *el, const struct ip *ip);
void nft_put_element(struct nl_batch *b, const struct nft_table *t, const char *set,
		     const struct nft_element *el, uint16_t flags);
void nft_put_element_del(struct nl_batch *b, const struct nft_table *t, const char *set,
			 const struct nft_element *el);

/* A chain with at least so many rules in it or that lead to it. */
struct nft_chain_use {
	const char *chain;
	unsigned min;
};
/*
 * Is every one of the sets there, and every chain so much in use?  Looking first is cheap, all of it is
 * one message; a transaction that fails makes the kernel wait for a grace period (14 ms) before it
 * answers.
 */
int nft_have(struct nl *nl, const struct nft_table *t, char *const *sets,
	     const struct nft_chain_use *uses, size_t n, bool *ret, struct err *e);
/* Names of the table's sets; strv, owned.  -ENOENT: no such table. */
int nft_list_sets(struct nl *nl, const struct nft_table *t, char ***ret, struct err *e);
/* Of every rule of the chain that has a comment, the comment; strv, owned. */
int nft_list_rules(struct nl *nl, const struct nft_table *t, const char *chain, char ***ret,
		   struct err *e);
/* Whether the chain is there. */
int nft_have_chain(struct nl *nl, const struct nft_table *t, const char *chain, bool *ret,
		   struct err *e);
struct nft_rule_info {
	uint64_t handle;
	char comment[NFT_COMMENT_MAX + 2]; /* "": none */
};
/* All rules of the chain in order; a chain that is not there has none.  *ret is owned by the caller. */
int nft_list_rule_infos(struct nl *nl, const struct nft_table *t, const char *chain,
			struct nft_rule_info **ret, size_t *ret_n, struct err *e);
/*
 * Whether the chain's first rule has this comment, at a price that does not grow with the chain.  A
 * chain that is not there has none.
 */
int nft_first_rule_is(const struct nft_table *t, const char *chain, const char *comment, bool *ret,
		      struct err *e);
void nft_put_rule_del(struct nl_batch *b, const struct nft_table *t, const char *chain,
		      uint64_t handle);
/* *ret is owned by the caller. */
int nft_list_elements(struct nl *nl, const struct nft_table *t, const char *set,
		      struct nft_element **ret, size_t *ret_n, struct err *e);

/* --- for nft_rule.c and nft_list.c --- */
/* Begin a request of nf_tables; `what` and `name` are for errors. */
void nft_put(struct nl_batch *b, uint16_t type, uint16_t flags, int family, const char *what,
	     const char *name);
void nft_put_u32(struct nl_batch *b, uint16_t type, uint32_t v);
void nft_put_value(struct nl_batch *b, uint16_t type, const void *value, size_t len);
void nft_put_comment(struct nl_batch *b, uint16_t type, const char *comment);
/* NUL-terminated into buf; false when there is no comment in this user data. */
bool nft_get_comment(const struct nlattr *a, char *buf, size_t size);
