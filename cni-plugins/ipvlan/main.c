/*
 * ipvlan: a link of the container's own on one of the host's, with the host link's own address.
 *
 * In a chain without IPAM it takes the addresses of prevResult, and the one interface there as its
 * master.
 */
#include "base/mem.h"
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/code.h"

static int take_master(const struct cni_request *rq, struct child *ret, struct err *e)
{
	if (rq->prev.n_interfaces != 1)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "chained master failure: prevResult has %zu interfaces, not one",
			       rq->prev.n_interfaces);
	free(ret->master);
	ret->master = xstrdup(rq->prev.interfaces[0].name);
	return 0;
}

static int decode(const struct cni_request *rq, struct child *ret, struct err *e)
{
	int r = child_decode(rq, ret, e);

	ret->link.kind = "ipvlan";
	ret->link.value_type = LINK_VALUE_U16;
	ret->needs_ipam = true;
	ret->chained = rq->has_prev && rq->prev.n_ips;
	if (r >= 0)
		r = child_decode_mode(rq, link_ipvlan_modes, ret, e);
	if (r < 0 || rq->command != CNI_ADD)
		return r;
	if (rq->prev_error.code)
		return cni_request_need_prev(rq, e);
	if ((!ret->master || !*ret->master) && rq->has_prev)
		r = take_master(rq, ret, e);
	return r;
}

int main(void)
{
	static const struct child_plugin plugin = {"ipvlan", decode};

	return child_main(&plugin);
}
