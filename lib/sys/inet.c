#include "sys/inet.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/mem.h"

static void put_ip(struct nl_batch *b, uint16_t type, const struct ip *ip)
{
	nl_attr_put(b->cur, type, ip_size(ip), ip->b);
}

void inet_put_addr(struct nl_batch *b, const struct inet_addr *a, uint16_t flags)
{
	const struct ip *ip = &a->addr.ip;
	char text[CIDR_TEXT_MAX];
	uint32_t fl = a->no_prefix_route ? IFA_F_NOPREFIXROUTE : 0;
	struct ifaddrmsg *m = nl_add(b, RTM_NEWADDR, (uint16_t) (NLM_F_CREATE | flags), sizeof *m,
				     "add address %s", cidr_text(&a->addr, text));

	m->ifa_family = (uint8_t) ip->family;
	m->ifa_prefixlen = (uint8_t) a->addr.prefix;
	m->ifa_index = (uint32_t) a->link;
	put_ip(b, IFA_LOCAL, ip);
	put_ip(b, IFA_ADDRESS, ip);
	if (ip->family == AF_INET6 && !a->dad)
		fl |= IFA_F_NODAD;
	if (ip->family == AF_INET && a->addr.prefix < 31) {
		struct ip broadcast = cidr_last(&a->addr);

		put_ip(b, IFA_BROADCAST, &broadcast);
	}
	if (fl)
		nl_attr_put_u32(b->cur, IFA_FLAGS, fl);
}

void inet_put_addr_del(struct nl_batch *b, const struct cidr *addr, int link)
{
	char text[CIDR_TEXT_MAX];
	struct ifaddrmsg *m =
		nl_add(b, RTM_DELADDR, 0, sizeof *m, "remove address %s", cidr_text(addr, text));

	m->ifa_family = (uint8_t) addr->ip.family;
	m->ifa_prefixlen = (uint8_t) addr->prefix;
	m->ifa_index = (uint32_t) link;
	put_ip(b, IFA_LOCAL, &addr->ip);
	put_ip(b, IFA_ADDRESS, &addr->ip);
}

static bool get_ip(const struct nlattr *a, int family, struct ip *ret)
{
	struct ip ip = {.family = family};

	if (nl_attr_len(a) != ip_size(&ip))
		return false;
	memcpy(ip.b, nl_attr_payload(a), ip_size(&ip));
	*ret = ip;
	return true;
}

struct addrs {
	int link;
	uint8_t flags; /* only those with one of these; 0: all */
	bool failed;   /* one has IFA_F_DADFAILED */
	struct cidr *list;
	size_t n;
};

static int collect_addr(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *m = nl_msg_payload(h);
	struct ip address = {0}, local = {0};
	struct addrs *c = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWADDR || nl_msg_payload_len(h) < sizeof *m ||
	    m->ifa_index != (uint32_t) c->link ||
	    (m->ifa_family != AF_INET && m->ifa_family != AF_INET6) ||
	    (c->flags && !(m->ifa_flags & c->flags)))
		return 0;
	c->failed |= (m->ifa_flags & IFA_F_DADFAILED) != 0;
	nl_attr_for_each(a, h, sizeof *m) {
		if (nl_attr_type(a) == IFA_LOCAL)
			(void) get_ip(a, m->ifa_family, &local);
		else if (nl_attr_type(a) == IFA_ADDRESS)
			(void) get_ip(a, m->ifa_family, &address);
	}
	/* IFA_ADDRESS is the peer's on point-to-point links (linux/if_addr.h). */
	if (ip_is_set(&local))
		address = local;
	if (!ip_is_set(&address))
		return 0;
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = (struct cidr) {.ip = address, .prefix = m->ifa_prefixlen};
	return 0;
}

static void restart_addrs(void *arg)
{
	((struct addrs *) arg)->n = 0;
}

static int list_addrs(struct nl *nl, struct addrs *c, int family, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct nl_dump d = {.each = collect_addr, .restart = restart_addrs, .arg = c};
	struct ifaddrmsg *m =
		nl_add(&b, RTM_GETADDR, 0, sizeof *m, "list addresses of link %d", c->link);

	/* Filtered in the kernel: a host has an address for each pod (NETLINK_GET_STRICT_CHK). */
	m->ifa_family = (uint8_t) family;
	m->ifa_index = (uint32_t) c->link;
	return nl_dump(nl, &b, &d, e);
}

int inet_list_addrs(struct nl *nl, int link, int family, struct cidr **ret, size_t *ret_n,
		    struct err *e)
{
	struct addrs c = {.link = link};
	int r = list_addrs(nl, &c, family, e);

	if (r < 0) {
		free(c.list);
		return r;
	}
	*ret = c.list;
	*ret_n = c.n;
	return 0;
}

int inet_find_tentative(struct nl *nl, int link, struct cidr *ret, bool *ret_failed, struct err *e)
{
	struct addrs c = {.link = link, .flags = IFA_F_TENTATIVE | IFA_F_DADFAILED};
	int r = list_addrs(nl, &c, AF_INET6, e);

	if (r >= 0 && c.n) {
		*ret = c.list[0];
		*ret_failed = c.failed;
		r = 1;
	}
	free(c.list);
	return r;
}

static void put_metrics(struct nl_batch *b, const struct inet_route *r)
{
	struct nlattr *metrics;

	if (!r->mtu && !r->advmss)
		return;
	metrics = nl_attr_nest_begin(b->cur, RTA_METRICS);
	if (r->mtu)
		nl_attr_put_u32(b->cur, RTAX_MTU, r->mtu);
	if (r->advmss)
		nl_attr_put_u32(b->cur, RTAX_ADVMSS, r->advmss);
	nl_attr_nest_end(b->cur, metrics);
}

static void put_route(struct nl_batch *b, const struct inet_route *r, uint16_t type, uint16_t flags)
{
	char text[CIDR_TEXT_MAX], gw[IP_TEXT_MAX];
	uint32_t table = r->table ? r->table : RT_TABLE_MAIN;
	struct rtmsg *m = nl_add(b, type, flags, sizeof *m,
				 ip_is_set(&r->gw) ? "%s route to %s by %s" : "%s route to %s",
				 type == RTM_NEWROUTE ? "add" : "delete", cidr_text(&r->dst, text),
				 ip_is_set(&r->gw) ? ip_text(&r->gw, gw) : "");

	m->rtm_family = (uint8_t) r->dst.ip.family;
	m->rtm_dst_len = (uint8_t) r->dst.prefix;
	m->rtm_table = table < 256 ? (uint8_t) table : RT_TABLE_UNSPEC;
	/* The kernel deletes only what is of the protocol named, and its own are RTPROT_KERNEL. */
	m->rtm_protocol = type == RTM_NEWROUTE ? RTPROT_BOOT : RTPROT_UNSPEC;
	m->rtm_type = RTN_UNICAST;
	m->rtm_scope = r->has_scope ? r->scope : RT_SCOPE_UNIVERSE;
	if (r->dst.prefix)
		put_ip(b, RTA_DST, &r->dst.ip);
	if (ip_is_set(&r->gw))
		put_ip(b, RTA_GATEWAY, &r->gw);
	if (ip_is_set(&r->src))
		put_ip(b, RTA_PREFSRC, &r->src);
	if (table >= 256)
		nl_attr_put_u32(b->cur, RTA_TABLE, table);
	if (r->link)
		nl_attr_put_u32(b->cur, RTA_OIF, (uint32_t) r->link);
	if (r->priority)
		nl_attr_put_u32(b->cur, RTA_PRIORITY, r->priority);
	put_metrics(b, r);
}

void inet_put_route(struct nl_batch *b, const struct inet_route *r, uint16_t flags)
{
	put_route(b, r, RTM_NEWROUTE, (uint16_t) (NLM_F_CREATE | flags));
}

void inet_put_route_del(struct nl_batch *b, const struct inet_route *r)
{
	put_route(b, r, RTM_DELROUTE, 0);
}

struct routes {
	int link;
	uint32_t table;
	struct inet_route *list;
	size_t n;
};

static void decode_metrics(const struct nlattr *metrics, struct inet_route *r)
{
	const struct nlattr *a;

	nl_attr_for_each_nested(a, metrics) {
		if (nl_attr_len(a) < sizeof(uint32_t))
			continue;
		if (nl_attr_type(a) == RTAX_MTU)
			r->mtu = nl_attr_u32(a);
		else if (nl_attr_type(a) == RTAX_ADVMSS)
			r->advmss = nl_attr_u32(a);
	}
}

static void decode_route_attr(const struct nlattr *a, int family, struct inet_route *r)
{
	bool word = nl_attr_len(a) >= sizeof(uint32_t);

	switch (nl_attr_type(a)) {
	case RTA_DST:
		(void) get_ip(a, family, &r->dst.ip);
		break;
	case RTA_GATEWAY:
		(void) get_ip(a, family, &r->gw);
		break;
	case RTA_PREFSRC:
		(void) get_ip(a, family, &r->src);
		break;
	case RTA_OIF:
		r->link = word ? (int) nl_attr_u32(a) : 0;
		break;
	case RTA_PRIORITY:
		r->priority = word ? nl_attr_u32(a) : 0;
		break;
	case RTA_TABLE:
		r->table = word ? nl_attr_u32(a) : 0;
		break;
	case RTA_METRICS:
		decode_metrics(a, r);
		break;
	default:
		break;
	}
}

static int collect_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *m = nl_msg_payload(h);
	struct routes *c = arg;
	struct inet_route r;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWROUTE || nl_msg_payload_len(h) < sizeof *m ||
	    m->rtm_type != RTN_UNICAST || (m->rtm_flags & RTM_F_CLONED))
		return 0;
	r = (struct inet_route) {
		.dst = {.ip = {.family = m->rtm_family}, .prefix = m->rtm_dst_len},
		.table = m->rtm_table,
		.has_scope = true,
		.scope = m->rtm_scope,
	};
	nl_attr_for_each(a, h, sizeof *m)
		decode_route_attr(a, m->rtm_family, &r);
	if ((c->link && r.link != c->link) ||
	    (c->table != INET_ALL_TABLES && r.table != c->table))
		return 0;
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = r;
	return 0;
}

static void restart_routes(void *arg)
{
	((struct routes *) arg)->n = 0;
}

static int dump_routes(struct nl *nl, int family, struct routes *c, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct nl_dump d = {.each = collect_route, .restart = restart_routes, .arg = c};
	struct rtmsg *m = nl_add(&b, RTM_GETROUTE, 0, sizeof *m, "list routes of link %d", c->link);

	m->rtm_family = (uint8_t) family;
	if (c->table != INET_ALL_TABLES)
		nl_attr_put_u32(b.cur, RTA_TABLE, c->table);
	if (c->link)
		nl_attr_put_u32(b.cur, RTA_OIF, (uint32_t) c->link);
	return nl_dump(nl, &b, &d, e);
}

int inet_list_routes(struct nl *nl, int link, uint32_t table, struct inet_route **ret,
		     size_t *ret_n, struct err *e)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct routes all = {.link = link, .table = table ? table : RT_TABLE_MAIN};

	for (size_t i = 0; i < ELEMENTSOF(families); i++) {
		struct routes c = {.link = all.link, .table = all.table};
		/* A table that nobody ever used does not exist; IPv6 may not exist at all. */
		int r = dump_routes(nl, families[i], &c, e);

		for (size_t j = 0; r >= 0 && j < c.n; j++) {
			all.list = xgrow(all.list, all.n, sizeof *all.list);
			all.list[all.n++] = c.list[j];
		}
		free(c.list);
		if (r < 0 && r != -ENOENT && r != -EAFNOSUPPORT && r != -EOPNOTSUPP) {
			free(all.list);
			return r;
		}
	}
	*ret = all.list;
	*ret_n = all.n;
	return 0;
}
