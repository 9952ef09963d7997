#include "cni-plugins/skel/chain.h"

#include <string.h>

#include "base/mem.h"
#include "cni-plugins/skel/args.h"
#include "sys/legacy_filter.h"

int chain_pass_on(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	int r = cni_request_need_prev(rq, e);

	return r < 0 ? r
		     : cni_result_decode(json_get(rq->conf, "prevResult"), JSON_TOP, rq->version,
					 ret, e);
}

static bool is_inside(const struct cni_interface *i)
{
	return i->sandbox && *i->sandbox;
}

const struct cni_address *chain_address(const struct cni_result *res, int family)
{
	for (size_t i = 0; i < res->n_ips; i++) {
		const struct cni_address *a = &res->ips[i];
		bool known = a->interface >= 0 && (size_t) a->interface < res->n_interfaces;

		/* Results of before 0.3.0 name no interface. */
		if (a->addr.ip.family == family &&
		    (!known || is_inside(&res->interfaces[a->interface])))
			return a;
	}
	return NULL;
}

/* BRIDGE.VLAN: where the host meets a container that is in one of the bridge's VLANs. */
static bool is_vlan_of(const char *bridge, const char *name)
{
	size_t n = strlen(bridge);

	return !strncmp(name, bridge, n) && name[n] == '.' && name[n + 1] &&
	       !name[n + 1 + strspn(name + n + 1, "0123456789")];
}

const struct cni_interface *chain_host_interface(const struct cni_result *res)
{
	const struct cni_interface *first = NULL;

	for (size_t i = 0; i < res->n_interfaces; i++) {
		const struct cni_interface *x = &res->interfaces[i];

		if (is_inside(x))
			continue;
		if (first && is_vlan_of(first->name, x->name))
			return x;
		first = first ? first : x;
	}
	return first;
}

const struct cni_interface *chain_container_interface(const struct cni_request *rq,
						      const struct cni_result *res)
{
	const struct cni_interface *named = cni_result_find(res, rq->ifname, true);

	for (size_t i = 0; !named && i < res->n_interfaces; i++)
		if (is_inside(&res->interfaces[i]))
			named = &res->interfaces[i];
	return named;
}

bool chain_wants_repair(const struct cni_request *rq)
{
	return cni_args_flag(rq->args, "Repair");
}

void chain_warn_of_legacy(const struct cni_result *res)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ELEMENTSOF(families); i++) {
		const struct cni_address *a = chain_address(res, families[i]);

		if (a)
			legacy_filter_warn(families[i], &a->addr.ip);
	}
}
