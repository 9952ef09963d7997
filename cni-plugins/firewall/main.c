/* firewall: lets a container's packets through the host's own rules.  Chained. */
#include "base/mem.h"
#include "cni-plugins/firewall/conf.h"
#include "cni-plugins/firewall/rules.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/skel.h"

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_firewall_conf_ struct firewall_conf c = {0};
	int r = firewall_conf_decode(rq, &c, e);

	if (r >= 0)
		r = chain_pass_on(rq, ret, e);
	if (r >= 0)
		r = firewall_rules_add(rq, &c, ret, e);
	if (r >= 0)
		chain_warn_of_legacy(ret);
	return r;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_firewall_conf_ struct firewall_conf c = {0};
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = firewall_conf_decode(rq, &c, e);
	if (r >= 0 && chain_wants_repair(rq))
		r = firewall_rules_add(rq, &c, &rq->prev, e);
	return r < 0 ? r : firewall_rules_check(rq, &c, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "firewall",
		.since = CNI_0_4_0,
		.add = add,
		.del = firewall_rules_del,
		.check = check,
		.gc = firewall_rules_gc,
	};

	return cni_main(&plugin);
}
