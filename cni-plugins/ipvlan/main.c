/*
 * ipvlan: a link of the container's own on one of the host's, with the host link's own address.
 *
 * In a chain without IPAM it takes the addresses of prevResult, and the one interface there as its
 * master.
 */
#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/skel.h"

struct conf {
	struct child_conf child;
	char *mode; /* owned */
};

static void conf_done(struct conf *c)
{
	child_conf_done(&c->child);
	free(c->mode);
}
#define _cleanup_conf_ __attribute__((cleanup(conf_done)))

static int decode(const struct cni_request *rq, struct conf *c, struct child *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct conf, "mode", STRING, mode)},
	};
	const struct link_mode *mode;
	int r = child_conf_decode(rq, &c->child, ret, e);

	if (r >= 0)
		r = cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);
	if (r < 0)
		return r;
	mode = link_mode_find(link_ipvlan_modes, c->mode && *c->mode ? c->mode : "l2");
	if (!mode)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "unknown ipvlan mode: %s", q(c->mode));
	ret->link.kind = "ipvlan";
	ret->link.value_type = LINK_VALUE_U16;
	ret->link.value = mode->value;
	ret->needs_ipam = true;
	if ((!ret->master || !*ret->master) && rq->command == CNI_ADD && rq->has_prev) {
		if (rq->prev.n_interfaces != 1)
			return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
				       "chained master failure: prevResult has %zu interfaces, not one",
				       rq->prev.n_interfaces);
		ret->master = rq->prev.interfaces[0].name;
	}
	return 0;
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	struct child child = {0};
	int r = decode(rq, &c, &child, e);

	return r < 0 ? r : child_add(rq, &child, rq->has_prev && rq->prev.n_ips, ret, e);
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	struct child child = {0};
	int r = decode(rq, &c, &child, e);

	return r < 0 ? r : child_check(rq, &child, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "ipvlan",
		.add = add,
		.del = child_del,
		.check = check,
		.gc = child_gc,
		.status = child_status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
