/*
 * vrf: the container's interface becomes a member of a VRF there, which is made for its first one and
 * goes with its last.  Chained.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/netns.h"
#include "cni-plugins/skel/skel.h"
#include "sys/inet.h"
#include "sys/link_child.h"

struct conf {
	char *name; /* owned */
	int64_t table; /* 0: the next one that is free */
};

static void conf_done(struct conf *c)
{
	free(c->name);
}
#define _cleanup_conf_ __attribute__((cleanup(conf_done)))

struct inside {
	struct netns ns;
	struct nl nl;
	struct link link, vrf;
};
#define INSIDE_INIT {.ns = NETNS_INIT, .nl = NL_INIT}

static void inside_done(struct inside *in)
{
	netns_close(&in->ns);
	nl_close(&in->nl);
}
#define _cleanup_inside_ __attribute__((cleanup(inside_done)))

static int decode(const struct cni_request *rq, struct conf *c, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct conf, "vrfname", STRING, name)},
		{CNI_FIELD(struct conf, "table", I64, table), .min = 0, .max = UINT32_MAX},
	};
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);
	const char *why;

	if (r < 0)
		return r;
	why = c->name && *c->name ? link_name_check(c->name) : "is required";
	return why ? err_set(e, CNI_CODE(CNI_BAD_CONFIG), "vrfname %s %s", q(c->name ? c->name : ""),
			     why)
		   : 0;
}

/* -ENODEV when there is none; another kind of link of that name is an error. */
static int find_vrf(struct inside *in, const char *name, struct err *e)
{
	int r = link_get(&in->nl, name, &in->vrf, e);

	if (r >= 0 && strcmp(in->vrf.kind, "vrf"))
		return err_set(e, CNI_CODE(CNI_OTHER), "interface %s is not a VRF", q(name));
	return r;
}

/* The lowest number that no other VRF here has. */
static int free_table(struct inside *in, unsigned *ret, struct err *e)
{
	_cleanup_free_ struct link *vrfs = NULL;
	size_t n;
	int r = link_list(&in->nl, "vrf", 0, &vrfs, &n, e);
	bool taken = true;

	for (*ret = 0; r >= 0 && taken;) {
		++*ret;
		taken = *ret >= 253 && *ret <= 255; /* default, main, local */
		for (size_t i = 0; i < n; i++)
			taken |= vrfs[i].kind_value == *ret;
	}
	return r;
}

static int make_vrf(struct inside *in, const struct conf *c, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_child vrf = {.name = c->name,
				 .kind = "vrf",
				 .netns = -EBADF,
				 .value_type = LINK_VALUE_U32,
				 .value = (unsigned) c->table};
	struct link_change up = {.name = c->name, .flags = IFF_UP, .mask = IFF_UP};
	int r = c->table ? 0 : free_table(in, &vrf.value, e);

	if (r < 0)
		return r;
	link_put_child(&b, &vrf);
	nl_ignore(&b, EEXIST);
	r = nl_run(&in->nl, &b, NULL, NULL, e);
	if (r >= 0)
		r = find_vrf(in, c->name, e);
	if (r < 0)
		return r;
	link_put_change(&b, in->vrf.index, &up);
	return nl_run(&in->nl, &b, NULL, NULL, e);
}

static int set_master(struct inside *in, int master, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change c = {.name = in->link.name, .master = master};

	link_put_change(&b, in->link.index, &c);
	return nl_run(&in->nl, &b, NULL, NULL, e);
}

/* Joining takes the link down and up for IPv6, and its global addresses go (but keep_addr_on_down). */
static int restore_ipv6(struct inside *in, const struct cidr *before, size_t n, struct err *e)
{
	static const struct cidr link_local = {
		.ip = {.family = AF_INET6, .b = {0xfe, 0x80}}, .prefix = 10};
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;

	for (size_t i = 0; i < n; i++) {
		struct inet_addr a = {.addr = before[i], .link = in->link.index};

		if (cidr_contains(&link_local, &before[i].ip))
			continue;
		inet_put_addr(&b, &a, NLM_F_EXCL);
		nl_ignore(&b, EEXIST);
	}
	return b.n ? nl_run(&in->nl, &b, NULL, NULL, e) : 0;
}

static void put_routes(struct nl_batch *b, const struct inside *in, struct inet_route *before,
		       size_t n, bool by_gateway)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_is_set(&before[i].gw) != by_gateway)
			continue;
		before[i].table = in->vrf.kind_value;
		inet_put_route(b, &before[i], NLM_F_EXCL);
		/* The kernel's own come with the addresses. */
		nl_ignore(b, EEXIST);
	}
}

/*
 * Routes of the link in the main table do not follow it into the VRF's.  Those on the link go first:
 * by them the gateways of the others are reached.
 */
static int restore_routes(struct inside *in, struct inet_route *before, size_t n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;

	put_routes(&b, in, before, n, false);
	put_routes(&b, in, before, n, true);
	return b.n ? nl_run(&in->nl, &b, NULL, NULL, e) : 0;
}

static int join(struct inside *in, struct err *e)
{
	_cleanup_free_ struct cidr *before = NULL;
	_cleanup_free_ struct inet_route *routes = NULL;
	size_t n, n_routes;
	int r = inet_list_addrs(&in->nl, in->link.index, AF_INET6, &before, &n, e);

	if (r >= 0)
		r = inet_list_routes(&in->nl, in->link.index, 0, &routes, &n_routes, e);
	if (r >= 0)
		r = set_master(in, in->vrf.index, e);
	if (r >= 0)
		r = restore_ipv6(in, before, n, e);
	return r < 0 ? r : restore_routes(in, routes, n_routes, e);
}

static int enslave(const struct cni_request *rq, const struct conf *c, struct inside *in,
		   struct err *e)
{
	int r = netns_socket(&in->ns, &in->nl, e);

	if (r >= 0)
		r = link_get(&in->nl, rq->ifname, &in->link, e);
	if (r < 0)
		return r;
	r = find_vrf(in, c->name, e);
	if (r == -ENODEV) {
		err_done(e);
		r = make_vrf(in, c, e);
	} else if (r >= 0 && c->table && in->vrf.kind_value != c->table) {
		return err_set(e, CNI_CODE(CNI_OTHER), "VRF %s has table %u, not %lld", q(c->name),
			       in->vrf.kind_value, (long long) c->table);
	}
	if (r < 0 || in->link.master == in->vrf.index)
		return r;
	if (in->link.master)
		return err_set(e, CNI_CODE(CNI_OTHER), "interface %s has a master already",
			       q(rq->ifname));
	return join(in, e);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	_cleanup_inside_ struct inside in = INSIDE_INIT;
	int r = decode(rq, &c, e);

	if (r >= 0)
		r = chain_pass_on(rq, ret, e);
	if (r >= 0)
		r = netns_open(rq, &in.ns, e);
	return r < 0 ? r : enslave(rq, &c, &in, e);
}

static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	_cleanup_inside_ struct inside in = INSIDE_INIT;
	_cleanup_free_ struct link *members = NULL;
	size_t n;
	int r = decode(rq, &c, e);

	if (r >= 0)
		r = netns_open_for_del(rq, &in.ns, e);
	if (r <= 0)
		return r;
	r = netns_socket(&in.ns, &in.nl, e);
	if (r >= 0)
		r = find_vrf(&in, c.name, e);
	if (r == -ENODEV) {
		err_done(e);
		return 0;
	}
	if (r >= 0 && link_get(&in.nl, rq->ifname, &in.link, NULL) >= 0 &&
	    in.link.master == in.vrf.index)
		r = set_master(&in, -1, e);
	if (r >= 0)
		r = link_list(&in.nl, NULL, in.vrf.index, &members, &n, e);
	return r < 0 || n ? r : link_del(&in.nl, in.vrf.index, e);
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	_cleanup_inside_ struct inside in = INSIDE_INIT;
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = decode(rq, &c, e);
	if (r >= 0)
		r = netns_open(rq, &in.ns, e);
	if (r >= 0 && chain_wants_repair(rq))
		r = enslave(rq, &c, &in, e);
	if (r >= 0 && in.nl.fd < 0)
		r = netns_socket(&in.ns, &in.nl, e);
	if (r >= 0)
		r = link_get(&in.nl, rq->ifname, &in.link, e);
	if (r >= 0)
		r = find_vrf(&in, c.name, e);
	if (r >= 0 && in.link.master != in.vrf.index)
		r = err_set(e, CNI_CODE(CNI_OTHER), "interface %s is not in VRF %s", q(rq->ifname),
			    q(c.name));
	return r;
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "vrf", .since = CNI_0_3_1, .add = add, .del = del, .check = check};

	return cni_main(&plugin);
}
