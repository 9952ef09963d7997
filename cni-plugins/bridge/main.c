/*
 * bridge: a veth pair whose host end is a port of a bridge.
 *
 * ADD: bridge, IPAM, pair, both ends configured, gateway, masquerade; what fails undoes the rest.
 * DEL: masquerade, link, lease, in this order: an address is free when nothing uses it any more.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/bridge/conf.h"
#include "cni-plugins/bridge/device.h"
#include "cni-plugins/bridge/spoof.h"
#include "cni-plugins/bridge/vlan.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/endpoint.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/masq.h"
#include "cni-plugins/skel/skel.h"
#include "cni-plugins/skel/sysctl.h"

struct attachment {
	const struct cni_request *rq;
	struct bridge_conf conf;
	struct netns ns;
	struct nl host, inside;
	struct link bridge;
	struct link gateway; /* the VLAN's, if any */
	struct endpoint ep;
	struct cni_result *res;
	bool has[2]; /* IPv4, IPv6 */
};
#define ATTACHMENT_INIT {.ns = NETNS_INIT, .host = NL_INIT, .inside = NL_INIT}

static void attachment_done(struct attachment *a)
{
	bridge_conf_done(&a->conf);
	netns_close(&a->ns);
	nl_close(&a->host);
	nl_close(&a->inside);
}
#define _cleanup_attachment_ __attribute__((cleanup(attachment_done)))

static int open_all(struct attachment *a, struct err *e)
{
	int r = bridge_conf_decode(a->rq, &a->conf, e);

	if (r >= 0)
		r = netns_open(a->rq, &a->ns, e);
	if (r >= 0)
		r = nl_open(&a->host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = netns_socket(&a->ns, &a->inside, e);
	return r;
}

/*
 * The container's link address follows from its IP address: when an address is used again, the
 * neighbours' memory of it is still right, and nobody waits for it to expire.
 */
static void derive_mac(struct attachment *a)
{
	static const unsigned char prefix[2] = {0x0a, 0x58};
	const struct ip *ip = a->res->n_ips ? &a->res->ips[0].addr.ip : NULL;
	uint32_t hash = 2166136261u; /* FNV-1a */

	if (a->conf.mac.wanted) {
		memcpy(a->ep.mac, a->conf.mac.mac, LINK_MAC_LEN);
		return;
	}
	if (!ip)
		return;
	memcpy(a->ep.mac, prefix, sizeof prefix);
	if (ip->family == AF_INET) {
		memcpy(a->ep.mac + 2, ip->b, 4);
		return;
	}
	for (size_t i = 0; i < sizeof ip->b; i++)
		hash = (hash ^ ip->b[i]) * 16777619u;
	memcpy(a->ep.mac + 2, &hash, 4);
}

static int configure_inside(struct attachment *a, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change notify = {.name = a->rq->ifname, .arp_notify = true};
	struct link_change up = {.name = a->rq->ifname, .flags = IFF_UP, .mask = IFF_UP};
	int r = 0;

	if (a->conf.no_container_interface)
		return 0;
	r = endpoint_ipv6(a->rq, &a->ns, a->conf.dad, e);
	if (r < 0)
		return r;
	link_put_change(&b, a->ep.link, &notify);
	for (size_t i = 0; i < a->res->n_ips; i++) {
		struct inet_addr addr = {
			.addr = a->res->ips[i].addr, .link = a->ep.link, .dad = a->conf.dad};

		inet_put_addr(&b, &addr, NLM_F_EXCL);
	}
	link_put_change(&b, a->ep.link, &up);
	endpoint_put_routes(&b, a->res, a->ep.link);
	return nl_run(&a->inside, &b, NULL, NULL, e);
}

static int configure_host(struct attachment *a, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	char alias[LINK_ALIAS_MAX];
	struct link_change up = {
		.name = a->ep.host_name, .flags = IFF_UP, .mask = IFF_UP, .alias = alias};
	int r = sysctl_port(a->ep.host_name, e);

	if (r >= 0 && vlan_wanted(&a->conf))
		r = vlan_join(&a->host, &a->conf, a->ep.host, e);
	if (r < 0)
		return r;
	endpoint_alias(a->rq, alias);
	if (a->conf.hairpin || a->conf.isolated)
		link_put_port(&b, a->ep.host, a->conf.hairpin, a->conf.isolated);
	link_put_change(&b, a->ep.host, &up);
	return nl_run(&a->host, &b, NULL, NULL, e);
}

/* The gateways of the result, as addresses with their networks' lengths. */
static size_t gateways(const struct cni_result *res, struct cidr *list)
{
	size_t n = 0;

	for (size_t i = 0; i < res->n_ips; i++)
		if (ip_is_set(&res->ips[i].gw))
			list[n++] = (struct cidr) {.ip = res->ips[i].gw,
						  .prefix = res->ips[i].addr.prefix};
	return n;
}

static int set_gateway(struct attachment *a, struct err *e)
{
	_cleanup_free_ struct cidr *list = xcalloc(a->res->n_ips + 1, sizeof *list);
	size_t n = gateways(a->res, list);
	int r = 0;

	if (!a->conf.is_gateway || !n)
		return 0;
	if (a->conf.vlan)
		r = vlan_gateway_ensure(&a->host, &a->conf, &a->bridge, &a->gateway, e);
	if (r >= 0)
		r = bridge_device_address(&a->host, &a->conf,
					  a->conf.vlan ? &a->gateway : &a->bridge, list, n, e);
	if (r >= 0 && a->has[0])
		r = sysctl_forward(AF_INET, e);
	if (r >= 0 && a->has[1])
		r = sysctl_forward(AF_INET6, e);
	return r;
}

/* What the configuration adds to IPAM's answer: gateways, default routes, interfaces, DNS. */
static void complete_result(struct attachment *a)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < a->res->n_ips; i++) {
		struct cni_address *ip = &a->res->ips[i];

		ip->interface = 2;
		a->has[ip->addr.ip.family == AF_INET6] = true;
		if (!ip_is_set(&ip->gw) && a->conf.is_gateway) {
			ip->gw = cidr_first(&ip->addr);
			(void) ip_next(&ip->gw);
		}
	}
	for (size_t i = 0; i < ELEMENTSOF(families); i++) {
		struct cidr any = {.ip = {.family = families[i]}};

		if (a->conf.is_default_gateway && a->has[i] &&
		    !cni_result_has_default(a->res, families[i]))
			cni_result_add_route(a->res, &any)->gw =
				cni_result_gateway(a->res, families[i]);
	}
}

static void report_interfaces(struct attachment *a)
{
	char mac[LINK_MAC_TEXT];
	struct cni_interface *f;

	f = cni_result_add_interface(a->res, a->conf.bridge, link_mac_text(a->bridge.mac, mac),
				     NULL);
	f->mtu = a->bridge.mtu;
	f = cni_result_add_interface(a->res, a->ep.host_name, link_mac_text(a->ep.host_mac, mac),
				     NULL);
	f->mtu = a->ep.mtu;
	f = cni_result_add_interface(a->res, a->rq->ifname, link_mac_text(a->ep.mac, mac),
				     a->rq->netns);
	f->mtu = a->ep.mtu;
	if (!a->gateway.index)
		return;
	f = cni_result_add_interface(a->res, a->gateway.name,
				     link_mac_text(a->gateway.mac, mac), NULL);
	f->mtu = a->gateway.mtu;
}

static int make_pair(struct attachment *a, struct err *e)
{
	int r;

	derive_mac(a);
	r = endpoint_create(a->rq, &a->ns, &a->host, (unsigned) a->conf.mtu, a->bridge.index,
			    &a->ep, e);
	return r < 0 ? r : configure_host(a, e);
}

static int attach(struct attachment *a, struct err *e)
{
	/* The usual IPAM needs no link; asked first, it gives the link's address its form. */
	bool early = a->rq->ipam && !ipam_is_builtin(a->rq);
	int r = early ? make_pair(a, e) : 0;

	if (r >= 0)
		r = ipam_call(a->rq, CNI_ADD, a->res, e);
	if (r < 0)
		return r;
	if (a->rq->ipam && !a->res->n_ips)
		return err_set(e, CNI_CODE(CNI_OTHER), "IPAM plugin returned missing IP config");
	complete_result(a);
	if (!early)
		r = make_pair(a, e);
	if (r >= 0)
		r = configure_inside(a, e);
	if (r >= 0)
		r = set_gateway(a, e);
	if (r >= 0 && a->conf.ip_masq)
		r = masq_add(a->rq, a->res, e);
	if (r >= 0 && a->conf.mac_spoof_check)
		r = spoof_add(a->rq, a->ep.host_name, a->ep.mac, e);
	if (r >= 0 && !a->conf.no_container_interface)
		r = endpoint_wait_up(&a->host, &a->ep, e);
	if (r >= 0 && a->conf.dad && a->has[1])
		r = endpoint_wait_dad(&a->inside, &a->ep, e);
	return r;
}

/* As DEL does it, as far as ADD came; the error that brought us here is the one to report. */
static void undo(struct attachment *a)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_nl_ struct nl late = NL_INIT;

	if (a->conf.ip_masq)
		(void) masq_del(a->rq, &late, &ignored);
	if (a->conf.mac_spoof_check)
		(void) spoof_del(a->rq, &late, &ignored);
	if (a->ep.host)
		(void) link_del(&a->host, a->ep.host, &ignored);
	if (a->gateway.index)
		(void) vlan_gateway_drop(a->rq, &a->host, &a->conf, &ignored);
	(void) ipam_call(a->rq, CNI_DEL, NULL, &ignored);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	int r;

	a.rq = rq;
	a.res = ret;
	r = open_all(&a, e);
	if (r >= 0)
		r = endpoint_is_free(rq, &a.inside, e);
	if (r >= 0)
		r = bridge_device_ensure(&a.host, &a.conf, &a.bridge, e);
	if (r < 0)
		return r;
	r = attach(&a, e);
	if (r < 0) {
		undo(&a);
		return r;
	}
	report_interfaces(&a);
	cni_dns_merge(&ret->dns, &rq->dns);
	return 0;
}

static bool wants(const struct cni_request *rq, const char *key)
{
	return cJSON_IsTrue(json_get(rq->conf, key));
}

/* The VLAN's gateway, if there is one and this was its last user. */
static int drop_gateway(const struct cni_request *rq, struct err *e)
{
	_cleanup_bridge_conf_ struct bridge_conf c = {0};
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_nl_ struct nl host = NL_INIT;
	int r;

	if (!json_get(rq->conf, "vlan") || bridge_conf_decode(rq, &c, &ignored) < 0 || !c.vlan ||
	    !c.is_gateway)
		return 0;
	r = nl_open(&host, NETLINK_ROUTE, e);
	return r < 0 ? r : vlan_gateway_drop(rq, &host, &c, e);
}

/*
 * Only what it needs is read of the configuration: a mistake in the rest must not keep things
 * from going.
 */
static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl late = NL_INIT, later = NL_INIT;
	int r = wants(rq, "ipMasq") ? masq_del(rq, &late, e) : 0;

	if (r >= 0 && wants(rq, "macspoofchk"))
		r = spoof_del(rq, &later, e);
	if (r >= 0)
		r = ipam_del_with_link(rq, endpoint_delete, e);
	return r < 0 ? r : drop_gateway(rq, e);
}

static int check_masq(struct attachment *a, struct err *e)
{
	int r = chain_wants_repair(a->rq) ? masq_add(a->rq, &a->rq->prev, e) : 0;

	return r < 0 ? r : masq_check(a->rq, e);
}

static int check_spoof(struct attachment *a, const char *port, struct err *e)
{
	const struct cni_interface *inside = cni_result_find(&a->rq->prev, a->rq->ifname, true);
	unsigned char mac[LINK_MAC_LEN];
	int r = 0;

	if (!inside || !inside->mac || link_mac_parse(inside->mac, mac) < 0)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "prevResult has no MAC address of %s",
			       q(a->rq->ifname));
	if (chain_wants_repair(a->rq))
		r = spoof_add(a->rq, port, mac, e);
	return r < 0 ? r : spoof_check(a->rq, port, mac, e);
}

static int repair_gateway(struct attachment *a, const struct cidr *list, size_t n, struct err *e)
{
	struct link *l = a->conf.vlan ? &a->gateway : &a->bridge;
	int r = 0;

	if (!chain_wants_repair(a->rq))
		return 0;
	if (a->conf.vlan)
		r = vlan_gateway_ensure(&a->host, &a->conf, &a->bridge, &a->gateway, e);
	if (r >= 0 && a->conf.vlan)
		r = vlan_gateway_repair(&a->host, &a->conf, &a->gateway, e);
	return r < 0 ? r : bridge_device_address(&a->host, &a->conf, l, list, n, e);
}

static int check_gateway(struct attachment *a, struct err *e)
{
	_cleanup_free_ struct cidr *want = xcalloc(a->rq->prev.n_ips + 1, sizeof *want),
				   *have = NULL;
	size_t n = gateways(&a->rq->prev, want), n_have = 0;
	const struct link *l = a->conf.vlan ? &a->gateway : &a->bridge;
	char text[CIDR_TEXT_MAX];
	int r;

	if (!n)
		return 0;
	r = repair_gateway(a, want, n, e);
	if (r >= 0 && a->conf.vlan)
		r = vlan_gateway_check(&a->host, &a->conf, &a->gateway, e);
	if (r >= 0)
		r = inet_list_addrs(&a->host, l->index, AF_UNSPEC, &have, &n_have, e);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		size_t j = 0;

		while (j < n_have && !cidr_eq(&have[j], &want[i]))
			j++;
		if (j == n_have)
			r = err_set(e, CNI_CODE(CNI_OTHER), "%s %s lacks the gateway's address %s",
				    a->conf.vlan ? "interface" : "bridge", q(l->name),
				    cidr_text(&want[i], text));
	}
	return r;
}

static int check_attached(struct attachment *a, struct err *e)
{
	struct link host_end;
	const struct cni_interface *before = cni_result_find(&a->rq->prev, a->conf.bridge, false);
	int r = bridge_device_check(&a->host, &a->conf, before ? before->mac : NULL, &a->bridge, e);

	if (r >= 0)
		r = endpoint_check(a->rq, &a->ns, &a->host, a->conf.mtu, &host_end, e);
	if (r >= 0 && host_end.master != a->bridge.index)
		r = err_set(e, CNI_CODE(CNI_OTHER), "link %s is not a port of bridge %s",
			    host_end.name, q(a->conf.bridge));
	if (r >= 0 && vlan_wanted(&a->conf) && chain_wants_repair(a->rq))
		r = vlan_repair(&a->host, &a->conf, &a->bridge, &host_end, e);
	if (r >= 0 && vlan_wanted(&a->conf))
		r = vlan_check(&a->host, &a->conf, &a->bridge, &host_end, e);
	if (r >= 0 && a->conf.is_gateway)
		r = check_gateway(a, e);
	if (r >= 0 && a->conf.ip_masq)
		r = check_masq(a, e);
	if (r >= 0 && a->conf.mac_spoof_check)
		r = check_spoof(a, host_end.name, e);
	return r;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	int r = cni_request_need_prev(rq, e);

	a.rq = rq;
	if (r >= 0)
		r = bridge_conf_decode(rq, &a.conf, e);
	if (r >= 0)
		r = netns_open(rq, &a.ns, e);
	if (r >= 0)
		r = nl_open(&a.host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = ipam_call(rq, CNI_CHECK, NULL, e);
	if (r >= 0 && !a.conf.no_container_interface)
		r = check_attached(&a, e);
	return r;
}

static int gc(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl host = NL_INIT, late = NL_INIT, later = NL_INIT;
	int r = 0;

	if (!rq->valid.known)
		return 0;
	if (wants(rq, "ipMasq"))
		r = masq_gc(rq, &late, e);
	if (r >= 0 && wants(rq, "macspoofchk"))
		r = spoof_gc(rq, &later, e);
	if (r >= 0)
		r = nl_open(&host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = endpoint_gc(rq, &host, 0, e);
	if (r >= 0)
		r = drop_gateway(rq, e);
	return r < 0 ? r : ipam_call(rq, CNI_GC, NULL, e);
}

/* Ready to serve an ADD: the configuration is right, the bridge can be had, IPAM has addresses. */
static int status(const struct cni_request *rq, struct err *e)
{
	_cleanup_bridge_conf_ struct bridge_conf c = {0};
	_cleanup_nl_ struct nl host = NL_INIT;
	struct link l;
	int r = bridge_conf_decode(rq, &c, e);

	if (r >= 0)
		r = nl_open(&host, NETLINK_ROUTE, e);
	if (r < 0)
		return r;
	r = link_get(&host, c.bridge, &l, e);
	if (r >= 0 && strcmp(l.kind, "bridge"))
		return err_set(e, CNI_CODE(CNI_NOT_AVAILABLE),
			       "%s already exists but is not a bridge", q(c.bridge));
	if (r < 0 && r != -ENODEV)
		return r;
	err_done(e);
	return ipam_call(rq, CNI_STATUS, NULL, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "bridge",
		.add = add,
		.del = del,
		.check = check,
		.gc = gc,
		.status = status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
