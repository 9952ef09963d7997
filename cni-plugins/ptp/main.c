/*
 * ptp: a veth pair without a bridge.  The container sees nothing but the gateway at the other
 * end; the host has one route for each of the container's addresses.
 *
 *	container: ADDRESS/24 without a route of its own, GATEWAY on the link, the subnet by GATEWAY
 *	host:      GATEWAY/32 on the pair's host end, ADDRESS/32 on the link
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/endpoint.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/masq.h"
#include "cni-plugins/skel/skel.h"
#include "cni-plugins/skel/sysctl.h"

struct attachment {
	const struct cni_request *rq;
	bool ip_masq;
	int64_t mtu;
	char *masq_backend;
	struct netns ns;
	struct nl host, inside;
	struct endpoint ep;
	struct cni_result *res;
	bool has[2]; /* IPv4, IPv6 */
};
#define ATTACHMENT_INIT {.ns = NETNS_INIT, .host = NL_INIT, .inside = NL_INIT}

static void attachment_done(struct attachment *a)
{
	free(a->masq_backend);
	netns_close(&a->ns);
	nl_close(&a->host);
	nl_close(&a->inside);
}
#define _cleanup_attachment_ __attribute__((cleanup(attachment_done)))

#define FIELD(key, type, member) CNI_FIELD(struct attachment, key, type, member)

static int decode(struct attachment *a, struct err *e)
{
	static const struct json_field fields[] = {
		{FIELD("ipMasq", BOOL, ip_masq)},
		{FIELD("ipMasqBackend", STRING, masq_backend), .check = masq_backend_check},
		{FIELD("mtu", I64, mtu), .min = 0, .max = 65535},
	};
	int r = cni_request_decode(a->rq, fields, ELEMENTSOF(fields), a, e);

	if (r >= 0 && !a->rq->ipam)
		r = err_set(e, CNI_CODE(CNI_BAD_CONFIG), "ipam: a plugin's type is required");
	return r;
}

static int open_all(struct attachment *a, struct err *e)
{
	int r = decode(a, e);

	if (r >= 0)
		r = netns_open(a->rq, &a->ns, e);
	if (r >= 0)
		r = nl_open(&a->host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = netns_socket(&a->ns, &a->inside, e);
	return r;
}

static int check_ips(struct attachment *a, struct err *e)
{
	char text[CIDR_TEXT_MAX];

	if (!a->res->n_ips)
		return err_set(e, CNI_CODE(CNI_OTHER), "IPAM plugin returned missing IP config");
	for (size_t i = 0; i < a->res->n_ips; i++) {
		struct cni_address *ip = &a->res->ips[i];

		if (!ip_is_set(&ip->gw) || ip->gw.family != ip->addr.ip.family)
			return err_set(e, CNI_CODE(CNI_OTHER),
				       "IPAM plugin returned no gateway for %s",
				       cidr_text(&ip->addr, text));
		ip->interface = 1;
		a->has[ip->addr.ip.family == AF_INET6] = true;
	}
	return 0;
}

/*
 * A second network of this container may use the same subnet: its routes come after the first
 * one's.
 */
static void put_own_routes(struct nl_batch *b, const struct cni_address *ip, int link)
{
	struct inet_route gateway = {
		.dst = cidr_host(&ip->gw),
		.src = ip->addr.ip,
		.link = link,
		.has_scope = true,
		.scope = RT_SCOPE_LINK,
	};
	struct inet_route subnet = {
		.dst = cidr_network(&ip->addr),
		.gw = ip->gw,
		.src = ip->addr.ip,
		.link = link,
	};

	inet_put_route(b, &gateway, NLM_F_APPEND);
	nl_ignore(b, EEXIST);
	/*
	 * For IPv6 an appended route by a gateway would join the first one's: traffic would take
	 * turns.
	 */
	inet_put_route(b, &subnet, ip->addr.ip.family == AF_INET ? NLM_F_APPEND : NLM_F_EXCL);
	nl_ignore(b, EEXIST);
}

static int configure_inside(struct attachment *a, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change up = {.name = a->rq->ifname, .flags = IFF_UP, .mask = IFF_UP};
	int r = a->has[1] ? endpoint_ipv6(a->rq, &a->ns, false, e) : 0;

	if (r < 0)
		return r;
	link_put_change(&b, a->ep.link, &up);
	for (size_t i = 0; i < a->res->n_ips; i++) {
		struct inet_addr addr = {
			.addr = a->res->ips[i].addr, .link = a->ep.link, .no_prefix_route = true};

		inet_put_addr(&b, &addr, NLM_F_EXCL);
	}
	for (size_t i = 0; i < a->res->n_ips; i++)
		put_own_routes(&b, &a->res->ips[i], a->ep.link);
	endpoint_put_routes(&b, a->res, a->ep.link);
	return nl_run(&a->inside, &b, NULL, NULL, e);
}

static int configure_host(struct attachment *a, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	char alias[LINK_ALIAS_MAX];
	struct link_change up = {
		.name = a->ep.host_name, .flags = IFF_UP, .mask = IFF_UP, .alias = alias};
	int r = sysctl_host_link(a->ep.host_name, e);

	if (r < 0)
		return r;
	endpoint_alias(a->rq, alias);
	link_put_change(&b, a->ep.host, &up);
	for (size_t i = 0; i < a->res->n_ips; i++) {
		const struct cni_address *ip = &a->res->ips[i];
		struct inet_addr gw = {.addr = cidr_host(&ip->gw), .link = a->ep.host};
		struct inet_route to = {.dst = cidr_host(&ip->addr.ip),
					.link = a->ep.host,
					.has_scope = true,
					.scope = RT_SCOPE_HOST};

		inet_put_addr(&b, &gw, NLM_F_EXCL);
		/* Two addresses of one subnet have one gateway. */
		nl_ignore(&b, EEXIST);
		/*
		 * The last holder's namespace may still be dying, and its route with it: take the
		 * place.
		 */
		inet_put_route(&b, &to, NLM_F_REPLACE);
	}
	return nl_run(&a->host, &b, NULL, NULL, e);
}

static int attach(struct attachment *a, struct err *e)
{
	int r = check_ips(a, e);

	if (r >= 0)
		r = endpoint_create(a->rq, &a->ns, &a->host, (unsigned) a->mtu, 0, &a->ep, e);
	if (r >= 0)
		r = configure_host(a, e);
	if (r >= 0)
		r = configure_inside(a, e);
	if (r >= 0 && a->has[0])
		r = sysctl_forward(AF_INET, e);
	if (r >= 0 && a->has[1])
		r = sysctl_forward(AF_INET6, e);
	if (r >= 0 && a->ip_masq)
		r = masq_add(a->rq, a->res, e);
	return r;
}

/* As DEL does it, as far as ADD came; the error that brought us here is the one to report. */
static void undo(struct attachment *a)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_nl_ struct nl late = NL_INIT;

	if (a->ip_masq)
		(void) masq_del(a->rq, &late, &ignored);
	if (a->ep.host)
		(void) link_del(&a->host, a->ep.host, &ignored);
	(void) ipam_call(a->rq, CNI_DEL, NULL, &ignored);
}

static void report_interfaces(struct attachment *a)
{
	char mac[LINK_MAC_TEXT];

	cni_result_add_interface(a->res, a->ep.host_name, link_mac_text(a->ep.host_mac, mac), NULL)
		->mtu = a->ep.mtu;
	cni_result_add_interface(a->res, a->rq->ifname, link_mac_text(a->ep.mac, mac), a->rq->netns)
		->mtu = a->ep.mtu;
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
		r = ipam_call(rq, CNI_ADD, ret, e);
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

static bool wants_masq(const struct cni_request *rq)
{
	return cJSON_IsTrue(json_get(rq->conf, "ipMasq"));
}

static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl late = NL_INIT;
	int r = wants_masq(rq) ? masq_del(rq, &late, e) : 0;

	return r < 0 ? r : ipam_del_with_link(rq, endpoint_delete, e);
}

/* The host reaches each address by the pair. */
static int check_host_routes(struct attachment *a, const struct link *end, struct err *e)
{
	_cleanup_free_ struct inet_route *have = NULL;
	char text[CIDR_TEXT_MAX];
	size_t n;
	int r = inet_list_routes(&a->host, end->index, 0, &have, &n, e);

	for (size_t i = 0; r >= 0 && i < a->rq->prev.n_ips; i++) {
		struct cidr want = cidr_host(&a->rq->prev.ips[i].addr.ip);
		size_t j = 0;

		while (j < n && !cidr_eq(&have[j].dst, &want))
			j++;
		if (j == n)
			r = err_set(e, CNI_CODE(CNI_OTHER), "the host has no route to %s by %s",
				    cidr_text(&want, text), end->name);
	}
	return r;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	struct link end;
	int r = cni_request_need_prev(rq, e);

	a.rq = rq;
	if (r >= 0)
		r = decode(&a, e);
	if (r >= 0)
		r = netns_open(rq, &a.ns, e);
	if (r >= 0)
		r = nl_open(&a.host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = ipam_call(rq, CNI_CHECK, NULL, e);
	if (r >= 0)
		r = endpoint_check(rq, &a.ns, &a.host, a.mtu, &end, e);
	if (r >= 0)
		r = check_host_routes(&a, &end, e);
	if (r >= 0 && a.ip_masq && chain_wants_repair(rq))
		r = masq_add(rq, &rq->prev, e);
	if (r >= 0 && a.ip_masq)
		r = masq_check(rq, e);
	return r;
}

static int gc(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl host = NL_INIT, late = NL_INIT;
	int r = 0;

	if (!rq->valid.known)
		return 0;
	if (wants_masq(rq))
		r = masq_gc(rq, &late, e);
	if (r >= 0)
		r = nl_open(&host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = endpoint_gc(rq, &host, 0, e);
	return r < 0 ? r : ipam_call(rq, CNI_GC, NULL, e);
}

static int status(const struct cni_request *rq, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	int r;

	a.rq = rq;
	r = decode(&a, e);
	return r < 0 ? r : ipam_call(rq, CNI_STATUS, NULL, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "ptp",
		.add = add,
		.del = del,
		.check = check,
		.gc = gc,
		.status = status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
