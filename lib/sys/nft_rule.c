#include "sys/nft_rule.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "base/mem.h"

static void begin(struct nft_rule *r, struct nl_batch *b, uint16_t flags, const struct nft_table *t,
		  const char *chain, const char *comment)
{
	nft_put(b, NFT_MSG_NEWRULE, (uint16_t) (NLM_F_CREATE | flags), t->family, "add rule to",
		chain);
	nl_attr_put_strz(b->cur, NFTA_RULE_TABLE, t->name);
	nl_attr_put_strz(b->cur, NFTA_RULE_CHAIN, chain);
	nft_put_comment(b, NFTA_RULE_USERDATA, comment);
	r->b = b;
	r->list = nl_attr_nest_begin(b->cur, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_begin(struct nft_rule *r, struct nl_batch *b, const struct nft_table *t,
		    const char *chain, const char *comment)
{
	begin(r, b, NLM_F_APPEND, t, chain, comment);
}

void nft_rule_begin_first(struct nft_rule *r, struct nl_batch *b, const struct nft_table *t,
			  const char *chain, const char *comment)
{
	begin(r, b, 0, t, chain, comment);
}

void nft_rule_end(struct nft_rule *r)
{
	nl_attr_nest_end(r->b->cur, r->list);
}

struct expr {
	struct nlattr *elem, *data;
};

static struct expr expr_begin(struct nft_rule *r, const char *name)
{
	struct expr x = {.elem = nl_attr_nest_begin(r->b->cur, NFTA_LIST_ELEM)};

	nl_attr_put_strz(r->b->cur, NFTA_EXPR_NAME, name);
	x.data = nl_attr_nest_begin(r->b->cur, NFTA_EXPR_DATA);
	return x;
}

static void expr_end(struct nft_rule *r, struct expr x)
{
	nl_attr_nest_end(r->b->cur, x.data);
	nl_attr_nest_end(r->b->cur, x.elem);
}

/* --- loads --- */

static void load_payload(struct nft_rule *r, uint32_t reg, uint32_t base, uint32_t offset,
			 uint32_t len)
{
	struct expr x = expr_begin(r, "payload");

	nft_put_u32(r->b, NFTA_PAYLOAD_DREG, reg);
	nft_put_u32(r->b, NFTA_PAYLOAD_BASE, base);
	nft_put_u32(r->b, NFTA_PAYLOAD_OFFSET, offset);
	nft_put_u32(r->b, NFTA_PAYLOAD_LEN, len);
	expr_end(r, x);
}

/* The address fields of the network header (RFC 791, RFC 8200). */
static void load_address(struct nft_rule *r, uint32_t reg, int family, bool source)
{
	uint32_t offset = family == AF_INET ? (source ? 12 : 16) : (source ? 8 : 24);

	load_payload(r, reg, NFT_PAYLOAD_NETWORK_HEADER, offset, family == AF_INET ? 4 : 16);
}

static void load_meta(struct nft_rule *r, uint32_t reg, enum nft_meta_keys key)
{
	struct expr x = expr_begin(r, "meta");

	nft_put_u32(r->b, NFTA_META_DREG, reg);
	nft_put_u32(r->b, NFTA_META_KEY, key);
	expr_end(r, x);
}

static void load_ct(struct nft_rule *r, enum nft_ct_keys key)
{
	struct expr x = expr_begin(r, "ct");

	nft_put_u32(r->b, NFTA_CT_DREG, NFT_REG_1);
	nft_put_u32(r->b, NFTA_CT_KEY, key);
	expr_end(r, x);
}

/* --- comparisons of register 1 --- */

static void compare(struct nft_rule *r, enum nft_cmp_ops op, const void *value, size_t len)
{
	struct expr x = expr_begin(r, "cmp");

	nft_put_u32(r->b, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_u32(r->b, NFTA_CMP_OP, op);
	nft_put_value(r->b, NFTA_CMP_DATA, value, len);
	expr_end(r, x);
}

static void mask(struct nft_rule *r, const void *bits, size_t len)
{
	static const unsigned char zero[16];
	struct expr x = expr_begin(r, "bitwise");

	nft_put_u32(r->b, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_u32(r->b, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_u32(r->b, NFTA_BITWISE_LEN, (uint32_t) len);
	nft_put_value(r->b, NFTA_BITWISE_MASK, bits, len);
	nft_put_value(r->b, NFTA_BITWISE_XOR, zero, len);
	expr_end(r, x);
}

static void compare_network(struct nft_rule *r, enum nft_cmp_ops op, const struct cidr *net)
{
	struct cidr ones = {.ip = {.family = net->ip.family}, .prefix = net->prefix};
	struct cidr first = cidr_network(net);
	size_t len = ip_size(&net->ip);
	/* The highest address whose network part is all zeros is the complement of the mask. */
	struct ip bits = cidr_last(&ones);

	for (size_t i = 0; i < len; i++)
		bits.b[i] = (unsigned char) ~bits.b[i];
	/* A whole address as iptables writes it: without a mask. */
	if (net->prefix < ip_bits(&net->ip))
		mask(r, bits.b, len);
	compare(r, op, first.ip.b, len);
}

/* Some bit of `bits` is set, or none is; the kernel keeps these in the host's order. */
static void compare_bits(struct nft_rule *r, uint32_t bits, bool is)
{
	static const uint32_t none;

	mask(r, &bits, sizeof bits);
	compare(r, is ? NFT_CMP_NEQ : NFT_CMP_EQ, &none, sizeof none);
}

static enum nft_cmp_ops equal(bool is)
{
	return is ? NFT_CMP_EQ : NFT_CMP_NEQ;
}

void nft_rule_family(struct nft_rule *r, int family)
{
	uint8_t proto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	load_meta(r, NFT_REG_1, NFT_META_NFPROTO);
	compare(r, NFT_CMP_EQ, &proto, 1);
}

enum lookup { LOOKUP_IN, LOOKUP_NOT_IN, LOOKUP_MAP };

static void lookup(struct nft_rule *r, const char *set, uint32_t set_id, enum lookup how)
{
	struct expr x = expr_begin(r, "lookup");

	nl_attr_put_strz(r->b->cur, NFTA_LOOKUP_SET, set);
	nft_put_u32(r->b, NFTA_LOOKUP_SET_ID, set_id);
	nft_put_u32(r->b, NFTA_LOOKUP_SREG, NFT_REG_1);
	if (how == LOOKUP_MAP)
		nft_put_u32(r->b, NFTA_LOOKUP_DREG, NFT_REG_1);
	if (how == LOOKUP_NOT_IN)
		nft_put_u32(r->b, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	expr_end(r, x);
}

void nft_rule_source_in(struct nft_rule *r, int family, const char *set, uint32_t set_id)
{
	load_address(r, NFT_REG_1, family, true);
	lookup(r, set, set_id, LOOKUP_IN);
}

void nft_rule_destination_in(struct nft_rule *r, int family, const char *set, uint32_t set_id)
{
	load_address(r, NFT_REG_1, family, false);
	lookup(r, set, set_id, LOOKUP_IN);
}

void nft_rule_source(struct nft_rule *r, const struct cidr *net)
{
	load_address(r, NFT_REG_1, net->ip.family, true);
	compare_network(r, NFT_CMP_EQ, net);
}

void nft_rule_source_not(struct nft_rule *r, const struct cidr *net)
{
	load_address(r, NFT_REG_1, net->ip.family, true);
	compare_network(r, NFT_CMP_NEQ, net);
}

void nft_rule_destination(struct nft_rule *r, const struct cidr *net)
{
	load_address(r, NFT_REG_1, net->ip.family, false);
	compare_network(r, NFT_CMP_EQ, net);
}

void nft_rule_destination_not(struct nft_rule *r, const struct cidr *net)
{
	load_address(r, NFT_REG_1, net->ip.family, false);
	compare_network(r, NFT_CMP_NEQ, net);
}

static void compare_type(struct nft_rule *r, uint32_t flags, uint32_t type, bool is)
{
	struct expr x = expr_begin(r, "fib");

	nft_put_u32(r->b, NFTA_FIB_DREG, NFT_REG_1);
	nft_put_u32(r->b, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nft_put_u32(r->b, NFTA_FIB_FLAGS, flags);
	expr_end(r, x);
	compare(r, equal(is), &type, sizeof type);
}

void nft_rule_source_type(struct nft_rule *r, uint32_t type, bool is)
{
	compare_type(r, NFTA_FIB_F_SADDR, type, is);
}

void nft_rule_destination_type(struct nft_rule *r, uint32_t type, bool is)
{
	compare_type(r, NFTA_FIB_F_DADDR, type, is);
}

void nft_rule_destination_local(struct nft_rule *r)
{
	nft_rule_destination_type(r, RTN_LOCAL, true);
}

void nft_rule_protocol(struct nft_rule *r, uint8_t protocol, bool is)
{
	load_meta(r, NFT_REG_1, NFT_META_L4PROTO);
	compare(r, equal(is), &protocol, 1);
}

/* The ports are the first two fields of all transport headers that have some. */
static void compare_ports(struct nft_rule *r, uint32_t offset, uint16_t first, uint16_t last, bool is)
{
	uint16_t from = htons(first), to = htons(last);
	struct expr x;

	load_payload(r, NFT_REG_1, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof from);
	if (first == last) {
		compare(r, equal(is), &from, sizeof from);
		return;
	}
	x = expr_begin(r, "range");
	nft_put_u32(r->b, NFTA_RANGE_SREG, NFT_REG_1);
	nft_put_u32(r->b, NFTA_RANGE_OP, is ? NFT_RANGE_EQ : NFT_RANGE_NEQ);
	nft_put_value(r->b, NFTA_RANGE_FROM_DATA, &from, sizeof from);
	nft_put_value(r->b, NFTA_RANGE_TO_DATA, &to, sizeof to);
	expr_end(r, x);
}

void nft_rule_source_port(struct nft_rule *r, uint16_t first, uint16_t last, bool is)
{
	compare_ports(r, 0, first, last, is);
}

void nft_rule_destination_port(struct nft_rule *r, uint16_t first, uint16_t last, bool is)
{
	compare_ports(r, 2, first, last, is);
}

/* The kernel keeps it in the host's order. */
void nft_rule_mark(struct nft_rule *r, uint32_t value, uint32_t bits, bool is)
{
	load_meta(r, NFT_REG_1, NFT_META_MARK);
	if (bits != UINT32_MAX)
		mask(r, &bits, sizeof bits);
	compare(r, equal(is), &value, sizeof value);
}

void nft_rule_was_dnat(struct nft_rule *r)
{
	load_ct(r, NFT_CT_STATUS);
	compare_bits(r, IPS_DST_NAT, true);
}

void nft_rule_state(struct nft_rule *r, uint32_t states, bool is)
{
	load_ct(r, NFT_CT_STATE);
	compare_bits(r, states, is);
}

void nft_rule_established(struct nft_rule *r)
{
	nft_rule_state(r, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED),
		       true);
}

void nft_rule_xt_established_or_dnat(struct nft_rule *r)
{
	struct xt_conntrack_mtinfo3 info = {
		.match_flags = XT_CONNTRACK_STATE,
		.state_mask = XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) |
			      XT_CONNTRACK_STATE_BIT(IP_CT_RELATED) | XT_CONNTRACK_STATE_DNAT,
	};
	unsigned char padded[XT_ALIGN(sizeof info)] = {0};
	struct expr x = expr_begin(r, "match");

	memcpy(padded, &info, sizeof info);
	nl_attr_put_strz(r->b->cur, NFTA_MATCH_NAME, "conntrack");
	nft_put_u32(r->b, NFTA_MATCH_REV, 3);
	nl_attr_put(r->b->cur, NFTA_MATCH_INFO, sizeof padded, padded);
	expr_end(r, x);
}

static void compare_link(struct nft_rule *r, enum nft_meta_keys key, const char *link, bool is)
{
	char name[IFNAMSIZ] = "";

	(void) snprintf(name, sizeof name, "%s", link);
	load_meta(r, NFT_REG_1, key);
	compare(r, equal(is), name, sizeof name);
}

/* As much of the register as the beginning fills. */
static void compare_beginning(struct nft_rule *r, enum nft_meta_keys key, const char *prefix, bool is)
{
	load_meta(r, NFT_REG_1, key);
	compare(r, equal(is), prefix, strnlen(prefix, IFNAMSIZ));
}

void nft_rule_input(struct nft_rule *r, const char *link, bool is)
{
	compare_link(r, NFT_META_IIFNAME, link, is);
}

void nft_rule_output(struct nft_rule *r, const char *link, bool is)
{
	compare_link(r, NFT_META_OIFNAME, link, is);
}

void nft_rule_input_like(struct nft_rule *r, const char *prefix, bool is)
{
	compare_beginning(r, NFT_META_IIFNAME, prefix, is);
}

void nft_rule_output_like(struct nft_rule *r, const char *prefix, bool is)
{
	compare_beginning(r, NFT_META_OIFNAME, prefix, is);
}

void nft_rule_input_in(struct nft_rule *r, const char *set, uint32_t set_id)
{
	load_meta(r, NFT_REG_1, NFT_META_IIFNAME);
	lookup(r, set, set_id, LOOKUP_IN);
}

/* A name fills register 1 and the address the half of register 2, which are one behind the other. */
void nft_rule_input_and_mac_not_in(struct nft_rule *r, const char *set, uint32_t set_id)
{
	load_meta(r, NFT_REG_1, NFT_META_IIFNAME);
	load_payload(r, NFT_REG_2, NFT_PAYLOAD_LL_HEADER, 6, 6);
	lookup(r, set, set_id, LOOKUP_NOT_IN);
}

/* --- what is done --- */

/* Registers of 4 bytes are numbered from NFT_REG32_00; NFT_REG_1 is the first four of them. */
void nft_rule_dnat_by_map(struct nft_rule *r, int family, bool with_address, const char *map,
			  uint32_t map_id)
{
	uint32_t words = family == AF_INET ? 1 : 4;
	uint32_t next = with_address ? words : 0;
	struct expr x;

	if (with_address)
		load_address(r, NFT_REG_1, family, false);
	/* The whole of register 1 by its old name: a load of one byte pads four. */
	load_meta(r, next ? NFT_REG32_00 + next : NFT_REG_1, NFT_META_L4PROTO);
	load_payload(r, NFT_REG32_00 + next + 1, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	lookup(r, map, map_id, LOOKUP_MAP);
	x = expr_begin(r, "nat");
	nft_put_u32(r->b, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nft_put_u32(r->b, NFTA_NAT_FAMILY, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nft_put_u32(r->b, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	nft_put_u32(r->b, NFTA_NAT_REG_PROTO_MIN, NFT_REG32_00 + words);
	nft_put_u32(r->b, NFTA_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	expr_end(r, x);
}

void nft_rule_masquerade(struct nft_rule *r)
{
	expr_end(r, expr_begin(r, "masq"));
}

void nft_rule_counter(struct nft_rule *r)
{
	expr_end(r, expr_begin(r, "counter"));
}

static void immediate(struct nft_rule *r, int verdict, const char *chain)
{
	struct expr x = expr_begin(r, "immediate");
	struct nlattr *data, *v;

	nft_put_u32(r->b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nl_attr_nest_begin(r->b->cur, NFTA_IMMEDIATE_DATA);
	v = nl_attr_nest_begin(r->b->cur, NFTA_DATA_VERDICT);
	nft_put_u32(r->b, NFTA_VERDICT_CODE, (uint32_t) verdict);
	if (chain)
		nl_attr_put_strz(r->b->cur, NFTA_VERDICT_CHAIN, chain);
	nl_attr_nest_end(r->b->cur, v);
	nl_attr_nest_end(r->b->cur, data);
	expr_end(r, x);
}

void nft_rule_jump(struct nft_rule *r, const char *chain)
{
	immediate(r, NFT_JUMP, chain);
}

void nft_rule_verdict(struct nft_rule *r, int verdict)
{
	immediate(r, verdict, NULL);
}
