/*
 * macvlan: a link of the container's own on one of the host's, with an address of its own.  The host
 * does not reach its own macvlan children: the kernel is made so.
 */
#include "base/mem.h"
#include "cni-plugins/skel/child.h"

struct keys {
	char *mac; /* owned */
	int64_t bc_queue_len;
};

static int decode(const struct cni_request *rq, struct child *ret, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct keys, "mac", STRING, mac)},
		{CNI_FIELD(struct keys, "bcqueuelen", I64, bc_queue_len), .min = 0, .max = UINT32_MAX},
	};
	struct keys k = {0};
	int r = child_decode(rq, ret, e);

	ret->link.kind = "macvlan";
	ret->link.value_type = LINK_VALUE_U32;
	ret->arp_notify = true;
	if (r >= 0)
		r = child_decode_mode(rq, link_macvlan_modes, ret, e);
	if (r >= 0)
		r = cni_request_decode(rq, fields, ELEMENTSOF(fields), &k, e);
	if (r >= 0)
		r = cni_mac_decode(rq, k.mac, &ret->mac, e);
	ret->link.mac = ret->mac.wanted ? ret->mac.mac : NULL;
	ret->link.bc_queue_len = (unsigned) k.bc_queue_len;
	free(k.mac);
	return r;
}

int main(void)
{
	static const struct child_plugin plugin = {"macvlan", decode};

	return child_main(&plugin);
}
