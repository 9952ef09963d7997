/* vlan: a link of the container's own in one VLAN (IEEE 802.1Q) of one of the host's. */
#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/skel.h"

struct conf {
	struct child_conf child;
	int64_t id;
};

static void conf_done(struct conf *c)
{
	child_conf_done(&c->child);
}
#define _cleanup_conf_ __attribute__((cleanup(conf_done)))

static int decode(const struct cni_request *rq, struct conf *c, struct child *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct conf, "vlanId", I64, id), .min = INT32_MIN, .max = INT32_MAX},
	};
	int r = child_conf_decode(rq, &c->child, ret, e);

	if (r >= 0)
		r = cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);
	if (r < 0)
		return r;
	if (!ret->master || !*ret->master)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "\"master\" field is required. It specifies the host interface name "
			       "to create the VLAN for.");
	if (c->id < 0 || c->id > 4094)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "invalid VLAN ID %lld (must be between 0 and 4094)",
			       (long long) c->id);
	ret->link.kind = "vlan";
	ret->link.value_type = LINK_VALUE_U16;
	ret->link.value = (unsigned) c->id;
	ret->needs_ipam = true;
	return 0;
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	struct child child = {0};
	int r = decode(rq, &c, &child, e);

	return r < 0 ? r : child_add(rq, &child, false, ret, e);
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
		.name = "vlan",
		.add = add,
		.del = child_del,
		.check = check,
		.gc = child_gc,
		.status = child_status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
