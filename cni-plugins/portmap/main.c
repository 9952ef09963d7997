/*
 * portmap: ports of the host that lead into a container.  Chained behind a plugin that gives
 * addresses; the mappings come from the runtime (capability portMappings).
 */
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "cni-plugins/portmap/conf.h"
#include "cni-plugins/portmap/rules.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/skel.h"
#include "cni-plugins/skel/sysctl.h"
#include "sys/conntrack.h"

static size_t udp_targets(const struct portmap_conf *c, int family, struct conntrack_target *list)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct port_mapping *m = &c->list[i];

		if (m->protocol == IPPROTO_UDP && port_mapping_has(m, family))
			list[n++] = (struct conntrack_target) {
				m->host_port, port_mapping_has_address(m) ? &m->host_ip : NULL};
	}
	return n;
}

/* What was sent to these ports before goes where they lead now (plugins#123, #1190). */
static int forget_flows(const struct portmap_conf *c, struct err *e)
{
	static const int families[] = {AF_INET, AF_INET6};
	_cleanup_free_ struct conntrack_target *list = xcalloc(c->n + 1, sizeof *list);
	_cleanup_nl_ struct nl nl = NL_INIT;
	int r = 0;

	for (size_t f = 0; r >= 0 && f < ELEMENTSOF(families); f++) {
		size_t n = udp_targets(c, families[f], list);

		if (n && nl.fd < 0)
			r = nl_open(&nl, NETLINK_NETFILTER, e);
		if (n && r >= 0)
			r = conntrack_forget(&nl, families[f], IPPROTO_UDP, list, n, e);
	}
	return r;
}

/* What comes from 127.0.0.1 may leave by the link to the container. */
static int allow_localhost(const struct cni_result *res, struct err *e)
{
	const struct cni_interface *link = chain_host_interface(res);

	return link && chain_address(res, AF_INET)
		       ? sysctl_link("ipv4", link->name, "route_localnet", "1", e)
		       : 0;
}

static int map_ports(const struct cni_request *rq, const struct portmap_conf *c,
		     const struct cni_result *res, struct err *e)
{
	int r = c->snat ? allow_localhost(res, e) : 0;

	if (r >= 0)
		r = portmap_rules_add(rq, c, res, e);
	return r < 0 ? r : forget_flows(c, e);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_portmap_conf_ struct portmap_conf c = {0};
	int r = portmap_conf_decode(rq, &c, e);

	if (r >= 0)
		r = chain_pass_on(rq, ret, e);
	if (r < 0 || !c.n)
		return r;
	r = map_ports(rq, &c, ret, e);
	if (r >= 0)
		chain_warn_of_legacy(ret);
	return r;
}

/* The mappings of then are found by their owner; the configuration only says whose flows to end. */
static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_portmap_conf_ struct portmap_conf c = {0};
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_nl_ struct nl late = NL_INIT;
	int r = portmap_rules_del(rq, &late, e);

	if (r >= 0 && portmap_conf_decode(rq, &c, &ignored) >= 0)
		r = forget_flows(&c, e);
	return r;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_portmap_conf_ struct portmap_conf c = {0};
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = portmap_conf_decode(rq, &c, e);
	if (r >= 0 && c.n && chain_wants_repair(rq))
		r = map_ports(rq, &c, &rq->prev, e);
	return r < 0 || !c.n ? r : portmap_rules_check(rq, &c, e);
}

static int gc(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl late = NL_INIT;

	return portmap_rules_gc(rq, &late, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "portmap", .add = add, .del = del, .check = check, .gc = gc};

	return cni_main(&plugin);
}
