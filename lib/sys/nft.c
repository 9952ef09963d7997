/*
 * Requests that make and remove tables, chains, sets and elements.  Rules: nft_rule.c; looking at
 * what is there: nft_list.c.
 */
#include "sys/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/*
 * Comments are one record of nft(8)'s user data: type, length, text with its NUL
 * (libnftnl/udata.h).
 */
#define UDATA_COMMENT 0
#define COMMENT_BUF (NFT_COMMENT_MAX + 3)

void nft_put(struct nl_batch *b, uint16_t type, uint16_t flags, int family, const char *what,
	     const char *name)
{
	struct nfgenmsg *m = nl_add(b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags,
				    sizeof *m, "nft: %s %s", what, name);

	m->nfgen_family = (uint8_t) family;
	m->version = NFNETLINK_V0;
}

static void bound(struct nl_batch *b, uint16_t type)
{
	struct nfgenmsg *m = nl_add(b, type, 0, sizeof *m, "nft: transaction");

	m->version = NFNETLINK_V0;
	m->res_id = htons(NFNL_SUBSYS_NFTABLES);
	/* Only the requests between are acknowledged. */
	b->cur->nlmsg_flags &= (uint16_t) ~NLM_F_ACK;
}

void nft_begin(struct nl_batch *b)
{
	b->one_piece = true;
	bound(b, NFNL_MSG_BATCH_BEGIN);
}

void nft_end(struct nl_batch *b)
{
	bound(b, NFNL_MSG_BATCH_END);
}

void nft_put_u32(struct nl_batch *b, uint16_t type, uint32_t v)
{
	nl_attr_put_u32(b->cur, type, htonl(v));
}

void nft_put_value(struct nl_batch *b, uint16_t type, const void *value, size_t len)
{
	struct nlattr *a = nl_attr_nest_begin(b->cur, type);

	nl_attr_put(b->cur, NFTA_DATA_VALUE, len, value);
	nl_attr_nest_end(b->cur, a);
}

void nft_put_comment(struct nl_batch *b, uint16_t type, const char *comment)
{
	size_t n = strnlen(comment, NFT_COMMENT_MAX);
	unsigned char buf[COMMENT_BUF] = {UDATA_COMMENT, (unsigned char) (n + 1)};

	memcpy(buf + 2, comment, n);
	nl_attr_put(b->cur, type, n + 3, buf);
}

bool nft_get_comment(const struct nlattr *a, char *buf, size_t size)
{
	const unsigned char *p = nl_attr_payload(a);
	size_t left = nl_attr_len(a);

	while (left >= 2 && left >= 2u + p[1]) {
		if (p[0] == UDATA_COMMENT && p[1] > 0) {
			size_t n = strnlen((const char *) p + 2, p[1]);

			n = n < size ? n : size - 1;
			memcpy(buf, p + 2, n);
			buf[n] = '\0';
			return true;
		}
		left -= 2u + p[1];
		p += 2 + p[1];
	}
	return false;
}

/* --- tables and chains --- */

void nft_put_table(struct nl_batch *b, const struct nft_table *t, uint16_t flags)
{
	nft_put(b, NFT_MSG_NEWTABLE, (uint16_t) (NLM_F_CREATE | flags), t->family, "add table",
		t->name);
	nl_attr_put_strz(b->cur, NFTA_TABLE_NAME, t->name);
}

void nft_put_table_del(struct nl_batch *b, const struct nft_table *t)
{
	nft_put(b, NFT_MSG_DELTABLE, 0, t->family, "delete table", t->name);
	nl_attr_put_strz(b->cur, NFTA_TABLE_NAME, t->name);
}

void nft_put_chain(struct nl_batch *b, const struct nft_table *t, const struct nft_chain *c)
{
	struct nlattr *hook;

	nft_put(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, t->family, "add chain", c->name);
	nl_attr_put_strz(b->cur, NFTA_CHAIN_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_CHAIN_NAME, c->name);
	if (!c->type)
		return;
	hook = nl_attr_nest_begin(b->cur, NFTA_CHAIN_HOOK);
	nft_put_u32(b, NFTA_HOOK_HOOKNUM, c->hook);
	nft_put_u32(b, NFTA_HOOK_PRIORITY, (uint32_t) c->priority);
	nl_attr_nest_end(b->cur, hook);
	nft_put_u32(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
	nl_attr_put_strz(b->cur, NFTA_CHAIN_TYPE, c->type);
}

void nft_put_chain_flush(struct nl_batch *b, const struct nft_table *t, const char *chain)
{
	nft_put(b, NFT_MSG_DELRULE, 0, t->family, "flush chain", chain);
	nl_attr_put_strz(b->cur, NFTA_RULE_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_RULE_CHAIN, chain);
}

void nft_put_chain_del(struct nl_batch *b, const struct nft_table *t, const char *chain)
{
	nft_put(b, NFT_MSG_DELCHAIN, 0, t->family, "delete chain", chain);
	nl_attr_put_strz(b->cur, NFTA_CHAIN_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_CHAIN_NAME, chain);
}

void nft_put_rule_del(struct nl_batch *b, const struct nft_table *t, const char *chain,
		      uint64_t handle)
{
	nft_put(b, NFT_MSG_DELRULE, 0, t->family, "delete rule of", chain);
	nl_attr_put_strz(b->cur, NFTA_RULE_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_RULE_CHAIN, chain);
	nl_attr_put_u64(b->cur, NFTA_RULE_HANDLE, htobe64(handle));
}

/* --- sets --- */

void nft_put_set(struct nl_batch *b, const struct nft_table *t, const struct nft_set *s)
{
	nft_put(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, t->family,
		s->data_len ? "add map" : "add set", s->name);
	nl_attr_put_strz(b->cur, NFTA_SET_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_SET_NAME, s->name);
	nft_put_u32(b, NFTA_SET_ID, s->id);
	nft_put_u32(b, NFTA_SET_FLAGS, s->data_len ? NFT_SET_MAP : 0);
	nft_put_u32(b, NFTA_SET_KEY_TYPE, s->key_type);
	nft_put_u32(b, NFTA_SET_KEY_LEN, s->key_len);
	if (!s->data_len)
		return;
	nft_put_u32(b, NFTA_SET_DATA_TYPE, s->data_type);
	nft_put_u32(b, NFTA_SET_DATA_LEN, s->data_len);
}

void nft_element_ip(struct nft_element *el, const struct ip *ip)
{
	el->key_len = (unsigned) ip_size(ip);
	memcpy(el->key, ip->b, el->key_len);
}

static void put_element(struct nl_batch *b, const struct nft_table *t, const char *set,
			const struct nft_element *el, bool whole)
{
	struct nlattr *list, *elem;

	nl_attr_put_strz(b->cur, NFTA_SET_ELEM_LIST_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_SET_ELEM_LIST_SET, set);
	list = nl_attr_nest_begin(b->cur, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = nl_attr_nest_begin(b->cur, 1);
	nft_put_value(b, NFTA_SET_ELEM_KEY, el->key, el->key_len);
	if (whole && el->data_len)
		nft_put_value(b, NFTA_SET_ELEM_DATA, el->data, el->data_len);
	if (whole)
		nft_put_comment(b, NFTA_SET_ELEM_USERDATA, el->comment);
	nl_attr_nest_end(b->cur, elem);
	nl_attr_nest_end(b->cur, list);
}

void nft_put_element(struct nl_batch *b, const struct nft_table *t, const char *set,
		     const struct nft_element *el, uint16_t flags)
{
	nft_put(b, NFT_MSG_NEWSETELEM, (uint16_t) (NLM_F_CREATE | flags), t->family,
		"add element to", set);
	put_element(b, t, set, el, true);
}

void nft_put_element_del(struct nl_batch *b, const struct nft_table *t, const char *set,
			 const struct nft_element *el)
{
	nft_put(b, NFT_MSG_DELSETELEM, 0, t->family, "delete element of", set);
	put_element(b, t, set, el, false);
}
