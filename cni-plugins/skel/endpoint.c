#include "cni-plugins/skel/endpoint.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/sysctl.h"

#define NAME_TRIES 10
#define UP_WAIT_MS 2500
#define DAD_WAIT_MS 10000 /* as the reference plugins */
#define DAD_POLL_MS 20
#define OPER_UP 6 /* ifOperStatus of RFC 2863; linux/if.h and net/if.h do not mix */

static int exists(const struct cni_request *rq, struct err *e)
{
	return err_set(e, CNI_CODE(CNI_OTHER), "container veth name %s already exists",
		       q(rq->ifname));
}

int endpoint_is_free(const struct cni_request *rq, struct nl *inside, struct err *e)
{
	struct link l;
	int r = link_get(inside, rq->ifname, &l, e);

	if (r == -ENODEV)
		return 0;
	return r < 0 ? r : exists(rq, e);
}

static int try_create(const struct cni_request *rq, struct nl *host, struct link_veth *v,
		      struct link *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	uint32_t n;
	char name[IFNAMSIZ];

	if (getrandom(&n, sizeof n, 0) != sizeof n)
		return err_sys(e, "random name");
	(void) snprintf(name, sizeof name, "veth%08x", n);
	v->name = name;
	v->peer_name = rq->ifname;
	/* One message: the second request sees what the first one made. */
	link_put_veth(&b, v);
	link_put_get(&b, name);
	return nl_run(host, &b, link_answer, ret, e);
}

int endpoint_create(const struct cni_request *rq, const struct netns *ns, struct nl *host,
		    unsigned mtu, int master, struct endpoint *ep, struct err *e)
{
	static const unsigned char none[LINK_MAC_LEN];
	struct link_veth v = {.mtu = mtu, .master = master, .peer_netns = ns->fd};
	struct link l = {0};
	int r = -EEXIST;

	if (link_random_mac(ep->host_mac) < 0 ||
	    (!memcmp(ep->mac, none, sizeof none) && link_random_mac(ep->mac) < 0))
		return err_set(e, EIO, "random link address");
	memcpy(v.mac, ep->host_mac, sizeof v.mac);
	memcpy(v.peer_mac, ep->mac, sizeof v.peer_mac);
	/* EEXIST: our random name or the container's; that one was free a moment ago. */
	for (int i = 0; r == -EEXIST && i < NAME_TRIES; i++)
		r = try_create(rq, host, &v, &l, e);
	if (r == -EEXIST)
		return exists(rq, e);
	if (r < 0)
		return r;
	(void) snprintf(ep->host_name, sizeof ep->host_name, "%s", l.name);
	ep->host = l.index;
	ep->link = l.peer;
	ep->mtu = l.mtu;
	return 0;
}

void endpoint_alias(const struct cni_request *rq, char alias[LINK_ALIAS_MAX])
{
	cni_owner(rq->name, rq->container_id, rq->ifname, alias);
}

int endpoint_wait_up(struct nl *host, const struct endpoint *ep, struct err *e)
{
	struct timespec pause = {.tv_nsec = 100000};
	struct link l = {0};
	int64_t waited = 0;
	int r;

	for (;;) {
		r = link_get_index(host, ep->host, &l, e);
		if (r < 0 || l.operstate == OPER_UP)
			return r;
		if (waited / 1000000 >= UP_WAIT_MS)
			return err_set(e, CNI_CODE(CNI_OTHER), "link %s does not come up",
				       ep->host_name);
		(void) nanosleep(&pause, NULL);
		waited += pause.tv_nsec;
		if (pause.tv_nsec < 50000000)
			pause.tv_nsec *= 2;
	}
}

int endpoint_wait_dad(struct nl *inside, const struct endpoint *ep, struct err *e)
{
	const struct timespec pause = {.tv_nsec = DAD_POLL_MS * 1000000L};
	char text[CIDR_TEXT_MAX];
	struct cidr addr;
	bool failed = false;

	for (int waited = 0;; waited += DAD_POLL_MS) {
		int r = inet_find_tentative(inside, ep->link, &addr, &failed, e);

		if (r <= 0)
			return r;
		if (failed)
			return err_set(e, CNI_CODE(CNI_OTHER),
				       "an address of the container is in use by somebody else "
				       "(duplicate address detection)");
		if (waited >= DAD_WAIT_MS)
			return err_set(e, CNI_CODE(CNI_OTHER),
				       "timed out waiting for address %s (duplicate address "
				       "detection)", cidr_text(&addr, text));
		(void) nanosleep(&pause, NULL);
	}
}

int endpoint_ipv6(const struct cni_request *rq, const struct netns *ns, bool dad, struct err *e)
{
	int r = netns_enter(ns, e);

	if (r < 0)
		return r;
	r = sysctl_link_inside("ipv6", "lo", "disable_ipv6", "0", e);
	if (r >= 0)
		r = sysctl_link_inside("ipv6", rq->ifname, "disable_ipv6", "0", e);
	if (r >= 0)
		r = sysctl_link_inside("ipv6", rq->ifname, "keep_addr_on_down", "1", e);
	if (r >= 0)
		r = sysctl_link_inside("ipv6", rq->ifname, "ndisc_notify", "1", e);
	if (r >= 0)
		r = sysctl_link_inside("ipv6", rq->ifname, "accept_dad", dad ? "1" : "0", e);
	netns_leave(ns);
	return r;
}

void endpoint_put_routes(struct nl_batch *b, const struct cni_result *res, int link)
{
	for (size_t i = 0; i < res->n_routes; i++) {
		const struct cni_route *c = &res->routes[i];
		struct inet_route r = {
			.dst = cidr_network(&c->dst),
			.gw = c->gw,
			.link = link,
			.mtu = (uint32_t) c->mtu,
			.advmss = (uint32_t) c->advmss,
			.priority = c->priority > 0 ? (uint32_t) c->priority : 0,
			.table = c->table > 0 ? (uint32_t) c->table : 0,
			.has_scope = c->scope >= 0,
			.scope = c->scope >= 0 ? (uint8_t) c->scope : 0,
		};

		/*
		 * A route that stays on the link has no gateway (scope link is 253,
		 * RT_SCOPE_LINK).
		 */
		if (!ip_is_set(&r.gw) && r.scope != 253)
			r.gw = cni_result_gateway(res, c->dst.ip.family);
		inet_put_route(b, &r, NLM_F_EXCL);
		/* The first one wins, be it of another network of this container. */
		nl_ignore(b, EEXIST);
	}
}

int endpoint_delete(const struct cni_request *rq, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link l;
	int r = netns_open_for_del(rq, &ns, e);

	if (r <= 0)
		return r;
	r = netns_socket(&ns, &inside, e);
	if (r >= 0)
		r = link_get(&inside, rq->ifname, &l, e);
	if (r == -ENODEV) {
		err_done(e);
		return 0;
	}
	return r < 0 ? r : link_del(&inside, l.index, e);
}

int endpoint_gc(const struct cni_request *rq, struct nl *host, int master, struct err *e)
{
	return endpoint_gc_kind(rq, host, "veth", master, e);
}

int endpoint_gc_kind(const struct cni_request *rq, struct nl *host, const char *kind, int master,
		     struct err *e)
{
	_cleanup_free_ struct link *links = NULL;
	size_t n;
	int r = link_list(host, kind, master, &links, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (cni_owner_is_stale(links[i].alias, rq->name, &rq->valid))
			r = link_del(host, links[i].index, e);
	return r;
}
