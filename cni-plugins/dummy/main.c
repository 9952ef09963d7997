/* dummy: a link in the container that leads nowhere, to carry addresses. */
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/skel.h"

static const struct child dummy = {
	.link = {.kind = "dummy"},
	.no_master = true,
	.needs_ipam = true,
};

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	return child_add(rq, &dummy, false, ret, e);
}

static int check(const struct cni_request *rq, struct err *e)
{
	return child_check(rq, &dummy, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "dummy",
		.add = add,
		.del = child_del,
		.check = check,
		.gc = child_gc,
		.status = child_status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
