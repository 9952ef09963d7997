/* vlan: a link of the container's own in one VLAN (IEEE 802.1Q) of one of the host's. */
#include "base/mem.h"
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/code.h"

struct keys {
	int64_t id;
};

static int decode(const struct cni_request *rq, struct child *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct keys, "vlanId", I64, id), .min = INT32_MIN, .max = INT32_MAX},
	};
	struct keys k = {0};
	int r = child_decode(rq, ret, e);

	if (r >= 0)
		r = cni_request_decode(rq, fields, ELEMENTSOF(fields), &k, e);
	if (r < 0)
		return r;
	if (!ret->master || !*ret->master)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "\"master\" field is required. It specifies the host interface name "
			       "to create the VLAN for.");
	if (k.id < 0 || k.id > 4094)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "invalid VLAN ID %lld (must be between 0 and 4094)",
			       (long long) k.id);
	ret->link.kind = "vlan";
	ret->link.value_type = LINK_VALUE_U16;
	ret->link.value = (unsigned) k.id;
	ret->needs_ipam = true;
	return 0;
}

int main(void)
{
	static const struct child_plugin plugin = {"vlan", decode};

	return child_main(&plugin);
}
