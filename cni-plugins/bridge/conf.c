#include "cni-plugins/bridge/conf.h"

#include <errno.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/masq.h"

void bridge_conf_done(struct bridge_conf *c)
{
	free(c->bridge);
	free(c->masq_backend);
	*c = (struct bridge_conf) {0};
}

static int bad(struct err *e, const char *text)
{
	return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "%s", text);
}

#define FIELD(key, type, member) CNI_FIELD(struct bridge_conf, key, type, member)

static int decode_keys(const struct cni_request *rq, struct bridge_conf *c, struct err *e)
{
	static const struct json_field fields[] = {
		{FIELD("bridge", STRING, bridge)},
		{FIELD("isGateway", BOOL, is_gateway)},
		{FIELD("isDefaultGateway", BOOL, is_default_gateway)},
		{FIELD("forceAddress", BOOL, force_address)},
		{FIELD("ipMasq", BOOL, ip_masq)},
		{FIELD("ipMasqBackend", STRING, masq_backend), .check = masq_backend_check},
		{FIELD("mtu", I64, mtu), .min = 0, .max = 65535},
		{FIELD("hairpinMode", BOOL, hairpin)},
		{FIELD("promiscMode", BOOL, promisc)},
		{FIELD("enabledad", BOOL, dad)},
		{FIELD("disableContainerInterface", BOOL, no_container_interface)},
		{FIELD("portIsolation", BOOL, isolated)},
		{FIELD("macspoofchk", BOOL, mac_spoof_check)},
		{FIELD("preserveDefaultVlan", BOOL, preserve_default_vlan)},
		{FIELD("vlan", I64, vlan), .min = 0, .max = 4094},
	};

	return cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);
}

static int check(const struct cni_request *rq, const struct bridge_conf *c, struct err *e)
{
	const cJSON *trunk = json_get(rq->conf, "vlanTrunk");
	const char *why = link_name_check(c->bridge);

	if (why)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "bridge: %s %s", q(c->bridge), why);
	if (c->hairpin && c->promisc)
		return bad(e, "cannot set hairpin mode and promiscuous mode at the same time");
	if (c->no_container_interface && rq->ipam)
		return bad(e, "cannot use IPAM when disableContainerInterface flag is set");
	/* Known, and better refused than ignored: each of them keeps containers apart. */
	if (c->vlan || (trunk && cJSON_GetArraySize(trunk)))
		return err_set(e, CNI_CODE(CNI_UNSUPPORTED_FIELD), "%s: VLANs are not supported",
			       c->vlan ? "vlan" : "vlanTrunk");
	return 0;
}

int bridge_conf_decode(const struct cni_request *rq, struct bridge_conf *ret, struct err *e)
{
	int r = decode_keys(rq, ret, e);

	if (r < 0)
		return r;
	if (!ret->bridge || !*ret->bridge) {
		free(ret->bridge);
		ret->bridge = xstrdup("cni0");
	}
	ret->is_gateway |= ret->is_default_gateway;
	r = check(rq, ret, e);
	return r < 0 ? r : cni_mac_decode(rq, NULL, &ret->mac, e);
}
