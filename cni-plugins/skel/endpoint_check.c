/*
 * CHECK of an attachment: is everything that ADD reported still there, and does it still fit
 * together?
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/endpoint.h"

static int broken(struct err *e, const char *fmt, ...) _printf_(2, 3);
static int broken(struct err *e, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(e, CNI_CODE(CNI_OTHER), "%s", text);
}

static int check_link(const struct cni_interface *want, const char *kind, const struct link *l,
		      struct err *e)
{
	char mac[LINK_MAC_TEXT];

	if (kind && strcmp(l->kind, kind))
		return broken(e, "interface %s is not a %s", q(want->name), kind);
	if (want->mac && *want->mac && strcasecmp(want->mac, link_mac_text(l->mac, mac)))
		return broken(e, "interface %s: MAC %s does not match prevResult's %s",
			      q(want->name), mac, q(want->mac));
	if (!(l->flags & IFF_UP))
		return broken(e, "interface %s is down", q(want->name));
	return 0;
}

static int check_addresses(const struct cni_request *rq, struct nl *inside, const struct link *l,
			   struct err *e)
{
	_cleanup_free_ struct cidr *have = NULL;
	char text[CIDR_TEXT_MAX];
	size_t n;
	int r = inet_list_addrs(inside, l->index, AF_UNSPEC, &have, &n, e);

	for (size_t i = 0; r >= 0 && i < rq->prev.n_ips; i++) {
		const struct cni_address *a = &rq->prev.ips[i];
		size_t j = 0;

		/* Another interface's business, in a chain that makes several. */
		if (a->interface >= 0 && (size_t) a->interface < rq->prev.n_interfaces &&
		    strcmp(rq->prev.interfaces[a->interface].name, rq->ifname))
			continue;
		while (j < n && !cidr_eq(&have[j], &a->addr))
			j++;
		if (j == n)
			r = broken(e, "interface %s: address %s is missing", q(rq->ifname),
				   cidr_text(&a->addr, text));
	}
	return r;
}

/*
 * By whatever interface: where two networks give one destination, the first one's route stands for
 * both.  1: it is there.
 */
static int find_route(struct nl *inside, const struct cni_route *want, uint32_t table,
		      struct err *e)
{
	_cleanup_free_ struct inet_route *have = NULL;
	struct cidr dst = cidr_network(&want->dst);
	size_t n;
	int r = inet_list_routes(inside, 0, table, &have, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (cidr_eq(&have[i].dst, &dst) &&
		    (!ip_is_set(&want->gw) || ip_eq(&have[i].gw, &want->gw)))
			return 1;
	return r < 0 ? r : 0;
}

static int check_route(const struct cni_request *rq, struct nl *inside,
		       const struct cni_route *want, struct err *e)
{
	char text[CIDR_TEXT_MAX];
	int r = find_route(inside, want, want->table > 0 ? (uint32_t) want->table : 0, e);

	/* Those behind us in the chain (sbr, vrf) move routes to tables of their own. */
	if (r == 0 && want->table <= 0)
		r = find_route(inside, want, INET_ALL_TABLES, e);
	if (r == 0)
		r = broken(e, "interface %s: route to %s is missing", q(rq->ifname),
			   cidr_text(&want->dst, text));
	return r < 0 ? r : 0;
}

static int check_inside(const struct cni_request *rq, struct nl *inside, const char *kind,
			struct link *l, struct err *e)
{
	const struct cni_interface *want = cni_result_find(&rq->prev, rq->ifname, true);
	int r;

	if (!want)
		return broken(e, "prevResult has no interface %s in a sandbox", q(rq->ifname));
	if (!netns_is_same(want->sandbox, rq->netns))
		return broken(e, "sandbox %s in prevResult does not match CNI_NETNS %s",
			      q(want->sandbox), q(rq->netns));
	r = link_get(inside, rq->ifname, l, e);
	if (r == -ENODEV)
		return broken(e, "interface %s does not exist", q(rq->ifname));
	if (r >= 0)
		r = check_link(want, kind, l, e);
	if (r >= 0)
		r = check_addresses(rq, inside, l, e);
	for (size_t i = 0; r >= 0 && i < rq->prev.n_routes; i++)
		r = check_route(rq, inside, &rq->prev.routes[i], e);
	return r;
}

int endpoint_check_inside(const struct cni_request *rq, const struct netns *ns, const char *kind,
			  struct link *ret, struct err *e)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	int r = netns_socket(ns, &inside, e);

	return r < 0 ? r : check_inside(rq, &inside, kind, ret, e);
}

int endpoint_check_mtu(const struct link *l, int64_t want, struct err *e)
{
	return !want || l->mtu == want
		       ? 0
		       : broken(e, "interface %s: mtu is %u, not %lld as configured", q(l->name),
				l->mtu, (long long) want);
}

int endpoint_check(const struct cni_request *rq, const struct netns *ns, struct nl *host,
		   int64_t mtu, struct link *ret_host, struct err *e)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	const struct cni_interface *want = NULL;
	struct link l = {0};
	int r = netns_socket(ns, &inside, e);

	if (r >= 0)
		r = check_inside(rq, &inside, "veth", &l, e);
	if (r >= 0)
		r = endpoint_check_mtu(&l, mtu, e);
	if (r < 0)
		return r;
	r = link_get_index(host, l.peer, ret_host, e);
	if (r == -ENODEV)
		return broken(e, "interface %s: the host's end does not exist", q(rq->ifname));
	if (r < 0)
		return r;
	want = cni_result_find(&rq->prev, ret_host->name, false);
	if (!want)
		return broken(e, "interface %s: its other end %s is not in prevResult",
			      q(rq->ifname), q(ret_host->name));
	r = check_link(want, "veth", ret_host, e);
	return r < 0 ? r : endpoint_check_mtu(ret_host, mtu, e);
}
