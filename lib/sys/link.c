#include "sys/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void copy_text(char *to, size_t size, const struct nlattr *a)
{
	size_t n = nl_attr_len(a);

	n = strnlen(nl_attr_payload(a), n < size ? n : size - 1);
	memcpy(to, nl_attr_payload(a), n);
	to[n] = '\0';
}

static void decode_u32(const struct nlattr *a, unsigned *ret)
{
	if (nl_attr_len(a) >= sizeof(uint32_t))
		*ret = nl_attr_u32(a);
}

/* Attribute 1 in the kinds that we make: IFLA_MACVLAN_MODE, IFLA_IPVLAN_MODE, IFLA_VLAN_ID... */
static void decode_kind_value(const struct nlattr *data, struct link *l)
{
	const struct nlattr *a;

	nl_attr_for_each_nested(a, data) {
		if (nl_attr_type(a) == IFLA_BR_VLAN_FILTERING && !strcmp(l->kind, "bridge") &&
		    nl_attr_len(a) >= 1)
			l->vlan_filtering = nl_attr_u8(a);
		if (nl_attr_type(a) != 1)
			continue;
		if (nl_attr_len(a) == sizeof(uint32_t))
			l->kind_value = nl_attr_u32(a);
		else if (nl_attr_len(a) == sizeof(uint16_t))
			l->kind_value = nl_attr_u16(a);
	}
}

static void decode_kind(const struct nlattr *info, struct link *l)
{
	const struct nlattr *a;

	nl_attr_for_each_nested(a, info) {
		if (nl_attr_type(a) == IFLA_INFO_KIND)
			copy_text(l->kind, sizeof l->kind, a);
		else if (nl_attr_type(a) == IFLA_INFO_DATA)
			decode_kind_value(a, l);
	}
}

static void decode_attr(const struct nlattr *a, struct link *l)
{
	unsigned v = 0;

	switch (nl_attr_type(a)) {
	case IFLA_IFNAME:
		copy_text(l->name, sizeof l->name, a);
		break;
	case IFLA_IFALIAS:
		copy_text(l->alias, sizeof l->alias, a);
		break;
	case IFLA_MTU:
		decode_u32(a, &l->mtu);
		break;
	case IFLA_TXQLEN:
		decode_u32(a, &l->tx_queue_len);
		break;
	case IFLA_PROMISCUITY:
		decode_u32(a, &l->promiscuity);
		break;
	case IFLA_LINK:
		decode_u32(a, &v);
		l->peer = (int) v;
		break;
	case IFLA_MASTER:
		decode_u32(a, &v);
		l->master = (int) v;
		break;
	case IFLA_OPERSTATE:
		if (nl_attr_len(a) >= 1)
			l->operstate = nl_attr_u8(a);
		break;
	case IFLA_ADDRESS:
		l->has_mac = nl_attr_len(a) == LINK_MAC_LEN;
		if (l->has_mac)
			memcpy(l->mac, nl_attr_payload(a), LINK_MAC_LEN);
		break;
	case IFLA_LINKINFO:
		decode_kind(a, l);
		break;
	default:
		break;
	}
}

void link_decode(const struct nlmsghdr *h, struct link *ret)
{
	const struct ifinfomsg *m = nl_msg_payload(h);
	const struct nlattr *a;

	*ret = (struct link) {0};
	if (h->nlmsg_type != RTM_NEWLINK || nl_msg_payload_len(h) < sizeof *m)
		return;
	ret->index = m->ifi_index;
	ret->flags = m->ifi_flags;
	nl_attr_for_each(a, h, sizeof *m)
		decode_attr(a, ret);
}

void link_answer(const struct nlmsghdr *h, size_t index _unused_, void *arg)
{
	link_decode(h, arg);
}

static void put_mac(struct nl_batch *b, const unsigned char *mac)
{
	nl_attr_put(b->cur, IFLA_ADDRESS, LINK_MAC_LEN, mac);
}

void link_put_get(struct nl_batch *b, const char *name)
{
	/* No more than the kernel needs to refuse a longer one: configurations name links as well. */
	size_t n = strnlen(name, IFNAMSIZ);

	(void) nl_add(b, RTM_GETLINK, 0, sizeof(struct ifinfomsg), "look up link %s", name);
	nl_attr_put(b->cur, IFLA_IFNAME, n < IFNAMSIZ ? n + 1 : n, name);
}

int link_get(struct nl *nl, const char *name, struct link *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;

	link_put_get(&b, name);
	return nl_run(nl, &b, link_answer, ret, e);
}

int link_get_index(struct nl *nl, int index, struct link *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct ifinfomsg *m = nl_add(&b, RTM_GETLINK, 0, sizeof *m, "look up link %d", index);

	m->ifi_index = index;
	return nl_run(nl, &b, link_answer, ret, e);
}

struct collect {
	const char *kind;
	int master;
	struct link *list;
	size_t n;
};

static int collect_link(const struct nlmsghdr *h, void *arg)
{
	struct collect *c = arg;
	struct link l;

	link_decode(h, &l);
	/* A kernel without filters for this dump sends everything. */
	if (l.index == 0 || (c->kind && strcmp(l.kind, c->kind)) ||
	    (c->master && l.master != c->master))
		return 0;
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = l;
	return 0;
}

static void collect_restart(void *arg)
{
	((struct collect *) arg)->n = 0;
}

int link_list(struct nl *nl, const char *kind, int master, struct link **ret, size_t *ret_n,
	      struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct collect c = {.kind = kind, .master = master};
	struct nl_dump d = {.each = collect_link, .restart = collect_restart, .arg = &c};
	struct nlattr *info;
	int r;

	(void) nl_add(&b, RTM_GETLINK, 0, sizeof(struct ifinfomsg), "list links");
	if (master)
		nl_attr_put_u32(b.cur, IFLA_MASTER, (uint32_t) master);
	if (kind) {
		info = nl_attr_nest_begin(b.cur, IFLA_LINKINFO);
		nl_attr_put_strz(b.cur, IFLA_INFO_KIND, kind);
		nl_attr_nest_end(b.cur, info);
	}
	r = nl_dump(nl, &b, &d, e);
	if (r < 0) {
		free(c.list);
		return r;
	}
	*ret = c.list;
	*ret_n = c.n;
	return 0;
}

int link_del(struct nl *nl, int index, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct ifinfomsg *m = nl_add(&b, RTM_DELLINK, 0, sizeof *m, "delete link %d", index);

	m->ifi_index = index;
	nl_ignore(&b, ENODEV);
	return nl_run(nl, &b, NULL, NULL, e);
}

void link_put_veth(struct nl_batch *b, const struct link_veth *v)
{
	struct nlattr *info, *data, *peer;

	(void) nl_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg),
		      "create veth %s with peer %s", v->name, v->peer_name);
	nl_attr_put_strz(b->cur, IFLA_IFNAME, v->name);
	put_mac(b, v->mac);
	if (v->mtu)
		nl_attr_put_u32(b->cur, IFLA_MTU, v->mtu);
	if (v->master)
		nl_attr_put_u32(b->cur, IFLA_MASTER, (uint32_t) v->master);
	info = nl_attr_nest_begin(b->cur, IFLA_LINKINFO);
	nl_attr_put_strz(b->cur, IFLA_INFO_KIND, "veth");
	data = nl_attr_nest_begin(b->cur, IFLA_INFO_DATA);
	peer = nl_attr_nest_begin(b->cur, 1 /* VETH_INFO_PEER */);
	(void) nl_msg_extend(b->cur, sizeof(struct ifinfomsg));
	nl_attr_put_strz(b->cur, IFLA_IFNAME, v->peer_name);
	put_mac(b, v->peer_mac);
	if (v->mtu)
		nl_attr_put_u32(b->cur, IFLA_MTU, v->mtu);
	nl_attr_put_u32(b->cur, IFLA_NET_NS_FD, (uint32_t) v->peer_netns);
	nl_attr_nest_end(b->cur, peer);
	nl_attr_nest_end(b->cur, data);
	nl_attr_nest_end(b->cur, info);
}

void link_put_bridge(struct nl_batch *b, const char *name, const unsigned char mac[LINK_MAC_LEN],
		     unsigned mtu, bool vlans)
{
	struct nlattr *info, *data;

	(void) nl_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg),
		      "create bridge %s", name);
	nl_attr_put_strz(b->cur, IFLA_IFNAME, name);
	put_mac(b, mac);
	if (mtu)
		nl_attr_put_u32(b->cur, IFLA_MTU, mtu);
	info = nl_attr_nest_begin(b->cur, IFLA_LINKINFO);
	nl_attr_put_strz(b->cur, IFLA_INFO_KIND, "bridge");
	if (vlans) {
		data = nl_attr_nest_begin(b->cur, IFLA_INFO_DATA);
		nl_attr_put_u8(b->cur, IFLA_BR_VLAN_FILTERING, 1);
		nl_attr_nest_end(b->cur, data);
	}
	nl_attr_nest_end(b->cur, info);
}

/*
 * The per-device sysctls of IPv4 travel in the link's own message: no look into the namespace's
 * /proc.
 */
static void put_arp_notify(struct nl_batch *b)
{
	struct nlattr *spec = nl_attr_nest_begin(b->cur, IFLA_AF_SPEC);
	struct nlattr *inet = nl_attr_nest_begin(b->cur, AF_INET);
	struct nlattr *conf = nl_attr_nest_begin(b->cur, IFLA_INET_CONF);

	nl_attr_put_u32(b->cur, 22 /* IPV4_DEVCONF_ARP_NOTIFY, linux/ip.h */, 1);
	nl_attr_nest_end(b->cur, conf);
	nl_attr_nest_end(b->cur, inet);
	nl_attr_nest_end(b->cur, spec);
}

void link_put_change(struct nl_batch *b, int index, const struct link_change *c)
{
	struct ifinfomsg *m = nl_add(b, RTM_SETLINK, 0, sizeof *m, "set up link %s", c->name);

	m->ifi_index = index;
	m->ifi_flags = c->flags;
	m->ifi_change = c->mask;
	if (!index)
		nl_attr_put_strz(b->cur, IFLA_IFNAME, c->name);
	if (c->mac)
		put_mac(b, c->mac);
	if (c->alias)
		nl_attr_put_strz(b->cur, IFLA_IFALIAS, c->alias);
	if (c->mtu)
		nl_attr_put_u32(b->cur, IFLA_MTU, c->mtu);
	if (c->set_tx_queue_len)
		nl_attr_put_u32(b->cur, IFLA_TXQLEN, c->tx_queue_len);
	if (c->new_name)
		nl_attr_put_strz(b->cur, IFLA_IFNAME, c->new_name);
	if (c->master)
		nl_attr_put_u32(b->cur, IFLA_MASTER, c->master > 0 ? (uint32_t) c->master : 0);
	if (c->netns)
		nl_attr_put_u32(b->cur, IFLA_NET_NS_FD, (uint32_t) (c->netns - 1));
	if (c->arp_notify)
		put_arp_notify(b);
}

void link_put_port(struct nl_batch *b, int index, bool hairpin, bool isolated)
{
	struct ifinfomsg *m = nl_add(b, RTM_SETLINK, 0, sizeof *m, "set bridge port %d", index);
	struct nlattr *port;

	m->ifi_family = AF_BRIDGE;
	m->ifi_index = index;
	port = nl_attr_nest_begin(b->cur, IFLA_PROTINFO | NLA_F_NESTED);
	nl_attr_put_u8(b->cur, IFLA_BRPORT_MODE, hairpin);
	nl_attr_put_u8(b->cur, IFLA_BRPORT_ISOLATED, isolated);
	nl_attr_nest_end(b->cur, port);
}
