#include "sys/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define PRIORITY_SRCNAT 100 /* NF_IP_PRI_NAT_SRC */
/* How nft(8) names the types of set keys when it lists them. */
#define KEY_IPV4 7
#define KEY_IPV6 8
/*
 * Comments are one record of nft(8)'s user data: type, length, text with its NUL
 * (libnftnl/udata.h).
 */
#define UDATA_COMMENT 0
#define COMMENT_BUF (NFT_COMMENT_MAX + 3)

/* --- building --- */

static struct nfgenmsg *put(struct nl_batch *b, uint16_t type, uint16_t flags, int family,
			    const char *what, const char *name)
{
	struct nfgenmsg *m = nl_add(b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags,
				    sizeof *m, "nft: %s %s", what, name);

	m->nfgen_family = (uint8_t) family;
	m->version = NFNETLINK_V0;
	return m;
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

static void put_u32(struct nl_batch *b, uint16_t type, uint32_t v)
{
	mnl_attr_put_u32(b->cur, type, htonl(v));
}

static void put_comment(struct nl_batch *b, uint16_t type, const char *comment)
{
	size_t n = strnlen(comment, NFT_COMMENT_MAX);
	unsigned char buf[COMMENT_BUF] = {UDATA_COMMENT, (unsigned char) (n + 1)};

	memcpy(buf + 2, comment, n);
	mnl_attr_put(b->cur, type, n + 3, buf);
}

void nft_put_table(struct nl_batch *b, const char *table, uint16_t flags)
{
	(void) put(b, NFT_MSG_NEWTABLE, (uint16_t) (NLM_F_CREATE | flags), NFPROTO_INET,
		   "add table", table);
	mnl_attr_put_strz(b->cur, NFTA_TABLE_NAME, table);
}

void nft_put_table_del(struct nl_batch *b, const char *table)
{
	(void) put(b, NFT_MSG_DELTABLE, 0, NFPROTO_INET, "delete table", table);
	mnl_attr_put_strz(b->cur, NFTA_TABLE_NAME, table);
}

void nft_put_postrouting(struct nl_batch *b, const char *table, const char *chain)
{
	struct nlattr *hook;

	(void) put(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFPROTO_INET, "add chain", chain);
	mnl_attr_put_strz(b->cur, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(b->cur, NFTA_CHAIN_NAME, chain);
	hook = mnl_attr_nest_start(b->cur, NFTA_CHAIN_HOOK);
	put_u32(b, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	put_u32(b, NFTA_HOOK_PRIORITY, PRIORITY_SRCNAT);
	mnl_attr_nest_end(b->cur, hook);
	put_u32(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
	mnl_attr_put_strz(b->cur, NFTA_CHAIN_TYPE, "nat");
}

void nft_put_set(struct nl_batch *b, const char *table, const char *set, int family, uint32_t id)
{
	(void) put(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, NFPROTO_INET, "add set", set);
	mnl_attr_put_strz(b->cur, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(b->cur, NFTA_SET_NAME, set);
	put_u32(b, NFTA_SET_ID, id);
	put_u32(b, NFTA_SET_FLAGS, 0);
	put_u32(b, NFTA_SET_KEY_TYPE, family == AF_INET ? KEY_IPV4 : KEY_IPV6);
	put_u32(b, NFTA_SET_KEY_LEN, family == AF_INET ? 4 : 16);
}

static void put_value(struct nl_batch *b, uint16_t type, const void *value, size_t len)
{
	struct nlattr *a = mnl_attr_nest_start(b->cur, type);

	mnl_attr_put(b->cur, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(b->cur, a);
}

static void put_element(struct nl_batch *b, const char *table, const char *set, const struct ip *ip,
			const char *comment)
{
	struct nlattr *list, *elem;

	mnl_attr_put_strz(b->cur, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(b->cur, NFTA_SET_ELEM_LIST_SET, set);
	list = mnl_attr_nest_start(b->cur, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(b->cur, 1);
	put_value(b, NFTA_SET_ELEM_KEY, ip->b, ip_size(ip));
	if (comment)
		put_comment(b, NFTA_SET_ELEM_USERDATA, comment);
	mnl_attr_nest_end(b->cur, elem);
	mnl_attr_nest_end(b->cur, list);
}

void nft_put_element(struct nl_batch *b, const char *table, const char *set, const struct ip *ip,
		     const char *comment, uint16_t flags)
{
	(void) put(b, NFT_MSG_NEWSETELEM, (uint16_t) (NLM_F_CREATE | flags), NFPROTO_INET,
		   "add element to", set);
	put_element(b, table, set, ip, comment);
}

void nft_put_element_del(struct nl_batch *b, const char *table, const char *set,
			 const struct ip *ip)
{
	(void) put(b, NFT_MSG_DELSETELEM, 0, NFPROTO_INET, "delete element of", set);
	put_element(b, table, set, ip, NULL);
}

/* --- rules --- */

void nft_rule_begin(struct nft_rule *r, struct nl_batch *b, const char *table, const char *chain,
		    const char *comment)
{
	(void) put(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFPROTO_INET, "add rule to",
		   chain);
	mnl_attr_put_strz(b->cur, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(b->cur, NFTA_RULE_CHAIN, chain);
	put_comment(b, NFTA_RULE_USERDATA, comment);
	r->b = b;
	r->list = mnl_attr_nest_start(b->cur, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft_rule *r)
{
	mnl_attr_nest_end(r->b->cur, r->list);
}

struct expr {
	struct nlattr *elem, *data;
};

static struct expr expr_begin(struct nft_rule *r, const char *name)
{
	struct expr x = {.elem = mnl_attr_nest_start(r->b->cur, NFTA_LIST_ELEM)};

	mnl_attr_put_strz(r->b->cur, NFTA_EXPR_NAME, name);
	x.data = mnl_attr_nest_start(r->b->cur, NFTA_EXPR_DATA);
	return x;
}

static void expr_end(struct nft_rule *r, struct expr x)
{
	mnl_attr_nest_end(r->b->cur, x.data);
	mnl_attr_nest_end(r->b->cur, x.elem);
}

static void compare(struct nft_rule *r, enum nft_cmp_ops op, const void *value, size_t len)
{
	struct expr x = expr_begin(r, "cmp");

	put_u32(r->b, NFTA_CMP_SREG, NFT_REG_1);
	put_u32(r->b, NFTA_CMP_OP, op);
	put_value(r->b, NFTA_CMP_DATA, value, len);
	expr_end(r, x);
}

/* The address field of the network header (RFC 791, RFC 8200) into register 1. */
static void load_address(struct nft_rule *r, int family, bool source)
{
	struct expr x = expr_begin(r, "payload");

	put_u32(r->b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_u32(r->b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_u32(r->b, NFTA_PAYLOAD_OFFSET,
		family == AF_INET ? (source ? 12 : 16) : (source ? 8 : 24));
	put_u32(r->b, NFTA_PAYLOAD_LEN, family == AF_INET ? 4 : 16);
	expr_end(r, x);
}

void nft_rule_family(struct nft_rule *r, int family)
{
	uint8_t proto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	struct expr x = expr_begin(r, "meta");

	put_u32(r->b, NFTA_META_DREG, NFT_REG_1);
	put_u32(r->b, NFTA_META_KEY, NFT_META_NFPROTO);
	expr_end(r, x);
	compare(r, NFT_CMP_EQ, &proto, 1);
}

void nft_rule_source_in(struct nft_rule *r, int family, const char *set, uint32_t set_id)
{
	struct expr x;

	load_address(r, family, true);
	x = expr_begin(r, "lookup");
	mnl_attr_put_strz(r->b->cur, NFTA_LOOKUP_SET, set);
	put_u32(r->b, NFTA_LOOKUP_SET_ID, set_id);
	put_u32(r->b, NFTA_LOOKUP_SREG, NFT_REG_1);
	expr_end(r, x);
}

void nft_rule_destination_not(struct nft_rule *r, const struct cidr *net)
{
	struct cidr ones = {.ip = {.family = net->ip.family}, .prefix = net->prefix};
	static const unsigned char zero[16];
	struct cidr first = cidr_network(net);
	size_t len = ip_size(&net->ip);
	struct ip mask;
	struct expr x;

	/* The highest address whose network part is all zeros is the complement of the mask. */
	mask = cidr_last(&ones);
	for (size_t i = 0; i < len; i++)
		mask.b[i] = (unsigned char) ~mask.b[i];
	load_address(r, net->ip.family, false);
	x = expr_begin(r, "bitwise");
	put_u32(r->b, NFTA_BITWISE_SREG, NFT_REG_1);
	put_u32(r->b, NFTA_BITWISE_DREG, NFT_REG_1);
	put_u32(r->b, NFTA_BITWISE_LEN, (uint32_t) len);
	put_value(r->b, NFTA_BITWISE_MASK, mask.b, len);
	put_value(r->b, NFTA_BITWISE_XOR, zero, len);
	expr_end(r, x);
	compare(r, NFT_CMP_NEQ, first.ip.b, len);
}

void nft_rule_masquerade(struct nft_rule *r)
{
	expr_end(r, expr_begin(r, "masq"));
}

/* --- listing --- */

static const struct nlattr *find_attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

/* NUL-terminated into buf; false when there is no comment. */
static bool get_comment(const struct nlattr *a, char *buf, size_t size)
{
	const unsigned char *p = mnl_attr_get_payload(a);
	size_t left = mnl_attr_get_payload_len(a);

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

struct names {
	char **list;
	uint16_t type; /* the attribute that is collected */
	bool comment;
};

static int collect_name(const struct nlmsghdr *h, void *arg)
{
	struct names *c = arg;
	const struct nlattr *a = find_attr(h, c->type);
	char buf[NFT_COMMENT_MAX + 2];

	if (!a)
		return 0;
	if (c->comment && get_comment(a, buf, sizeof buf))
		strv_add(&c->list, buf);
	else if (!c->comment && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
		strv_add(&c->list, mnl_attr_get_str(a));
	return 0;
}

static void restart_names(void *arg)
{
	struct names *c = arg;

	strv_free(c->list);
	c->list = NULL;
}

static int dump_names(struct nl *nl, struct nl_batch *b, struct names *c, char ***ret,
		      struct err *e)
{
	struct nl_dump d = {.each = collect_name, .restart = restart_names, .arg = c};
	int r = nl_dump(nl, b, &d, e);

	if (r < 0)
		strv_free(c->list);
	else
		*ret = c->list;
	return r;
}

int nft_list_sets(struct nl *nl, const char *table, char ***ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct names c = {.type = NFTA_SET_NAME};

	(void) put(&b, NFT_MSG_GETSET, 0, NFPROTO_INET, "list sets of", table);
	mnl_attr_put_strz(b.cur, NFTA_SET_TABLE, table);
	return dump_names(nl, &b, &c, ret, e);
}

static void count_answer(const struct nlmsghdr *h _unused_, size_t index _unused_, void *arg)
{
	++*(size_t *) arg;
}

int nft_have_sets(struct nl *nl, const char *table, char *const *sets, bool *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	size_t found = 0;
	int r;

	for (char *const *s = sets; s && *s; s++) {
		(void) put(&b, NFT_MSG_GETSET, 0, NFPROTO_INET, "look up set", *s);
		mnl_attr_put_strz(b.cur, NFTA_SET_TABLE, table);
		mnl_attr_put_strz(b.cur, NFTA_SET_NAME, *s);
		nl_ignore(&b, ENOENT);
	}
	r = nl_run(nl, &b, count_answer, &found, e);
	*ret = found == strv_len(sets);
	return r;
}

int nft_list_rules(struct nl *nl, const char *table, const char *chain, char ***ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct names c = {.type = NFTA_RULE_USERDATA, .comment = true};

	(void) put(&b, NFT_MSG_GETRULE, 0, NFPROTO_INET, "list rules of", table);
	mnl_attr_put_strz(b.cur, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(b.cur, NFTA_RULE_CHAIN, chain);
	return dump_names(nl, &b, &c, ret, e);
}

struct elements {
	struct nft_element *list;
	size_t n;
};

static bool get_key(const struct nlattr *key, struct ip *ip)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, key) {
		size_t len = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) != NFTA_DATA_VALUE || (len != 4 && len != 16))
			continue;
		*ip = (struct ip) {.family = len == 4 ? AF_INET : AF_INET6};
		memcpy(ip->b, mnl_attr_get_payload(a), len);
		return true;
	}
	return false;
}

static void collect_element(const struct nlattr *elem, struct elements *c)
{
	struct nft_element x = {0};
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, elem) {
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_KEY)
			(void) get_key(a, &x.ip);
		else if (mnl_attr_get_type(a) == NFTA_SET_ELEM_USERDATA)
			(void) get_comment(a, x.comment, sizeof x.comment);
	}
	if (!ip_is_set(&x.ip))
		return;
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = x;
}

static int collect_elements(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *list = find_attr(h, NFTA_SET_ELEM_LIST_ELEMENTS), *a;

	if (list)
		mnl_attr_for_each_nested(a, list)
			collect_element(a, arg);
	return 0;
}

static void restart_elements(void *arg)
{
	((struct elements *) arg)->n = 0;
}

int nft_list_elements(struct nl *nl, const char *table, const char *set, struct nft_element **ret,
		      size_t *ret_n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct elements c = {0};
	struct nl_dump d = {.each = collect_elements, .restart = restart_elements, .arg = &c};
	int r;

	(void) put(&b, NFT_MSG_GETSETELEM, 0, NFPROTO_INET, "list elements of", set);
	mnl_attr_put_strz(b.cur, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(b.cur, NFTA_SET_ELEM_LIST_SET, set);
	r = nl_dump(nl, &b, &d, e);
	if (r < 0) {
		free(c.list);
		return r;
	}
	*ret = c.list;
	*ret_n = c.n;
	return 0;
}
