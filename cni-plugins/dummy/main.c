/* dummy: a link in the container that leads nowhere, to carry addresses. */
#include "cni-plugins/skel/child.h"

static int decode(const struct cni_request *rq, struct child *ret, struct err *e)
{
	(void) rq;
	(void) e;
	ret->link.kind = "dummy";
	ret->no_master = true;
	ret->needs_ipam = true;
	return 0;
}

int main(void)
{
	static const struct child_plugin plugin = {"dummy", decode};

	return child_main(&plugin);
}
