#include "cni-plugins/dhcp/change.h"

#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "sys/inet.h"

static struct inet_route route_of(const struct cni_result *res, const struct cni_route *c, int link)
{
	return (struct inet_route) {
		.dst = cidr_network(&c->dst),
		.gw = ip_is_set(&c->gw) ? c->gw : cni_result_gateway(res, AF_INET),
		.link = link,
		.priority = c->priority > 0 ? (uint32_t) c->priority : 0,
	};
}

static bool has_route(const struct cni_result *res, const struct cni_route *c)
{
	for (size_t i = 0; i < res->n_routes; i++)
		if (cidr_eq(&res->routes[i].dst, &c->dst) && ip_eq(&res->routes[i].gw, &c->gw))
			return true;
	return false;
}

static bool is_same(const struct cni_result *a, const struct cni_result *b)
{
	bool same = a->n_routes == b->n_routes && cidr_eq(&a->ips[0].addr, &b->ips[0].addr);

	for (size_t i = 0; same && i < a->n_routes; i++)
		same = has_route(b, &a->routes[i]);
	return same;
}

/*
 * The old address first: beside it, the new one would be its secondary, and go with it (ip-sysctl,
 * promote_secondaries).  Its routes go with it as well, so that all are put anew.
 */
static int change(const struct lease *l, const struct cni_result *before,
		  const struct cni_result *now, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct inet_addr addr = {.addr = now->ips[0].addr, .link = l->place.link};
	int r = place_netlink(&l->place, &inside, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < before->n_routes; i++) {
		struct inet_route x = route_of(before, &before->routes[i], l->place.link);

		if (has_route(now, &before->routes[i]))
			continue;
		inet_put_route_del(&b, &x);
		nl_ignore(&b, ESRCH);
	}
	if (!cidr_eq(&before->ips[0].addr, &addr.addr)) {
		inet_put_addr_del(&b, &before->ips[0].addr, l->place.link);
		nl_ignore(&b, EADDRNOTAVAIL);
		inet_put_addr(&b, &addr, NLM_F_REPLACE);
	}
	for (size_t i = 0; i < now->n_routes; i++) {
		struct inet_route x = route_of(now, &now->routes[i], l->place.link);

		inet_put_route(&b, &x, NLM_F_EXCL);
		nl_ignore(&b, EEXIST);
	}
	return nl_run(&inside, &b, NULL, NULL, e);
}

void change_apply(const struct lease *l, const struct dhcp_message *before,
		  const struct dhcp_message *now)
{
	_cleanup_cni_result_ struct cni_result old = CNI_RESULT_INIT, new = CNI_RESULT_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct terms_wish wish = lease_wish(l);
	char from[CIDR_TEXT_MAX], to[CIDR_TEXT_MAX];

	if (terms_result(before, &wish, &old, &e) < 0 || terms_result(now, &wish, &new, &e) < 0 ||
	    is_same(&old, &new))
		return;
	log_warning("%s/%s/%s: the server changed the lease: %s with %zu routes was %s with %zu",
		    l->call.container_id, l->call.rq.name, l->call.ifname,
		    cidr_text(&new.ips[0].addr, to), new.n_routes,
		    cidr_text(&old.ips[0].addr, from), old.n_routes);
	if (change(l, &old, &new, &e) < 0)
		log_warning("%s: %s", l->call.container_id, err_text(&e));
}
