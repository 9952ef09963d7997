#include "sys/link_vlan.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "base/mem.h"

void link_put_vlan_filtering(struct nl_batch *b, int bridge)
{
	struct ifinfomsg *m = nl_add(b, RTM_NEWLINK, 0, sizeof *m, "turn on VLAN filtering of %d",
				     bridge);
	struct nlattr *info, *data;

	m->ifi_index = bridge;
	info = nl_attr_nest_begin(b->cur, IFLA_LINKINFO);
	nl_attr_put_strz(b->cur, IFLA_INFO_KIND, "bridge");
	data = nl_attr_nest_begin(b->cur, IFLA_INFO_DATA);
	nl_attr_put_u8(b->cur, IFLA_BR_VLAN_FILTERING, 1);
	nl_attr_nest_end(b->cur, data);
	nl_attr_nest_end(b->cur, info);
}

static void put_info(struct nl_batch *b, uint16_t id, unsigned flags)
{
	struct bridge_vlan_info info = {.flags = (uint16_t) flags, .vid = id};

	nl_attr_put(b->cur, IFLA_BRIDGE_VLAN_INFO, sizeof info, &info);
}

/* Both directions of RTM_*LINK with family AF_BRIDGE; IFLA_BRIDGE_FLAGS absent: the port itself. */
static void put(struct nl_batch *b, uint16_t type, const struct link_vlan *v, const char *what)
{
	unsigned flags = (v->pvid ? BRIDGE_VLAN_INFO_PVID : 0u) |
			 (v->untagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0u);
	struct ifinfomsg *m = nl_add(b, type, 0, sizeof *m, "%s VLAN %u", what, v->first);
	struct nlattr *spec;

	m->ifi_family = AF_BRIDGE;
	m->ifi_index = v->port;
	spec = nl_attr_nest_begin(b->cur, IFLA_AF_SPEC);
	if (v->first == v->last) {
		put_info(b, v->first, flags);
	} else {
		put_info(b, v->first, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN);
		put_info(b, v->last, flags | BRIDGE_VLAN_INFO_RANGE_END);
	}
	nl_attr_nest_end(b->cur, spec);
}

void link_put_vlan(struct nl_batch *b, const struct link_vlan *v)
{
	put(b, RTM_SETLINK, v, "put bridge port into");
}

void link_put_vlan_del(struct nl_batch *b, int port, uint16_t id)
{
	struct link_vlan v = {.port = port, .first = id, .last = id};

	put(b, RTM_DELLINK, &v, "take bridge port out of");
	nl_ignore(b, ENOENT);
}

struct vlans {
	int port;
	struct link_vlan *list;
	size_t n;
};

static void collect_entry(const struct nlattr *entry, int port, struct vlans *c)
{
	struct link_vlan v = {.port = port};
	struct bridge_vlan_info info;
	const struct nlattr *a;

	nl_attr_for_each_nested(a, entry) {
		if (nl_attr_type(a) == BRIDGE_VLANDB_ENTRY_INFO &&
		    nl_attr_len(a) >= sizeof info) {
			memcpy(&info, nl_attr_payload(a), sizeof info);
			v.first = info.vid;
			v.last = v.last ? v.last : info.vid;
			v.pvid = info.flags & BRIDGE_VLAN_INFO_PVID;
			v.untagged = info.flags & BRIDGE_VLAN_INFO_UNTAGGED;
		} else if (nl_attr_type(a) == BRIDGE_VLANDB_ENTRY_RANGE &&
			   nl_attr_len(a) >= sizeof(uint16_t)) {
			v.last = nl_attr_u16(a);
		}
	}
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = v;
}

static int collect(const struct nlmsghdr *h, void *arg)
{
	const struct br_vlan_msg *m = nl_msg_payload(h);
	struct vlans *c = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWVLAN || nl_msg_payload_len(h) < sizeof *m ||
	    (c->port && m->ifindex != (uint32_t) c->port))
		return 0;
	nl_attr_for_each(a, h, sizeof *m)
		if (nl_attr_type(a) == BRIDGE_VLANDB_ENTRY)
			collect_entry(a, (int) m->ifindex, c);
	return 0;
}

static void restart(void *arg)
{
	((struct vlans *) arg)->n = 0;
}

int link_list_vlans(struct nl *nl, int port, struct link_vlan **ret, size_t *ret_n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct vlans c = {.port = port};
	struct nl_dump d = {.each = collect, .restart = restart, .arg = &c};
	struct br_vlan_msg *m = nl_add(&b, RTM_GETVLAN, 0, sizeof *m, "list VLANs of bridge ports");
	int r;

	m->family = AF_BRIDGE;
	m->ifindex = (uint32_t) port;
	r = nl_dump(nl, &b, &d, e);
	if (r < 0) {
		free(c.list);
		return r;
	}
	*ret = c.list;
	*ret_n = c.n;
	return 0;
}
