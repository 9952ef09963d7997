#include "sys/link_child.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "sys/inet.h"

/* linux/if_link.h */
const struct link_mode link_macvlan_modes[] = {
	{"bridge", MACVLAN_MODE_BRIDGE}, {"private", MACVLAN_MODE_PRIVATE},
	{"vepa", MACVLAN_MODE_VEPA},	 {"passthru", MACVLAN_MODE_PASSTHRU},
	{NULL, 0},
};
const struct link_mode link_ipvlan_modes[] = {
	{"l2", IPVLAN_MODE_L2}, {"l3", IPVLAN_MODE_L3}, {"l3s", IPVLAN_MODE_L3S}, {NULL, 0},
};

const struct link_mode *link_mode_find(const struct link_mode *modes, const char *word)
{
	for (; modes->word; modes++)
		if (!strcmp(modes->word, word))
			return modes;
	return NULL;
}

static void put_data(struct nl_batch *b, const struct link_child *c)
{
	struct nlattr *data;

	if (c->value_type == LINK_VALUE_NONE)
		return;
	data = nl_attr_nest_begin(b->cur, IFLA_INFO_DATA);
	if (c->value_type == LINK_VALUE_U16)
		nl_attr_put_u16(b->cur, 1, (uint16_t) c->value);
	else
		nl_attr_put_u32(b->cur, 1, c->value);
	if (c->bc_queue_len)
		nl_attr_put_u32(b->cur, IFLA_MACVLAN_BC_QUEUE_LEN, c->bc_queue_len);
	nl_attr_nest_end(b->cur, data);
}

void link_put_child(struct nl_batch *b, const struct link_child *c)
{
	struct nlattr *info;

	(void) nl_add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg),
		      "create %s %s", c->kind, c->name);
	nl_attr_put_strz(b->cur, IFLA_IFNAME, c->name);
	if (c->parent)
		nl_attr_put_u32(b->cur, IFLA_LINK, (uint32_t) c->parent);
	if (c->mtu)
		nl_attr_put_u32(b->cur, IFLA_MTU, c->mtu);
	if (c->mac)
		nl_attr_put(b->cur, IFLA_ADDRESS, LINK_MAC_LEN, c->mac);
	if (c->netns >= 0)
		nl_attr_put_u32(b->cur, IFLA_NET_NS_FD, (uint32_t) c->netns);
	info = nl_attr_nest_begin(b->cur, IFLA_LINKINFO);
	nl_attr_put_strz(b->cur, IFLA_INFO_KIND, c->kind);
	put_data(b, c);
	nl_attr_nest_end(b->cur, info);
}

int link_of_default_route(struct nl *nl, struct link *ret, struct err *e)
{
	_cleanup_free_ struct inet_route *routes = NULL;
	const struct inet_route *best = NULL;
	size_t n;
	int r = inet_list_routes(nl, 0, 0, &routes, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		const struct inet_route *x = &routes[i];

		if (x->dst.prefix || !x->link)
			continue;
		if (!best || x->dst.ip.family < best->dst.ip.family ||
		    (x->dst.ip.family == best->dst.ip.family && x->priority < best->priority))
			best = x;
	}
	if (r < 0)
		return r;
	return best ? link_get_index(nl, best->link, ret, e)
		    : err_set(e, ENOENT, "no default route found");
}
