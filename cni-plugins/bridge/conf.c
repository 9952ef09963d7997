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
		{FIELD("vlan", I64, vlan), .min = INT32_MIN, .max = INT32_MAX},
		{FIELD("vlanTrunk", CALL, trunk), .decode = vlan_set_decode},
	};

	return cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);
}

static int check_vlans(const struct bridge_conf *c, struct err *e)
{
	unsigned first = 1, last;
	char name[IFNAMSIZ];

	if (c->vlan < 0 || c->vlan > VLAN_ID_MAX)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "invalid VLAN ID %lld (must be between 0 and %d)",
			       (long long) c->vlan, VLAN_ID_MAX);
	if (c->vlan && vlan_set_next(&c->trunk, &first, &last))
		return bad(e, "cannot set vlan and vlanTrunk at the same time");
	if (c->vlan && c->is_gateway &&
	    snprintf(name, sizeof name, "%s.%u", c->bridge, (unsigned) c->vlan) >= IFNAMSIZ)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG),
			       "bridge: %s leaves no room for the gateway's interface \"%s.%u\"",
			       q(c->bridge), c->bridge, (unsigned) c->vlan);
	return 0;
}

static int check(const struct bridge_conf *c, const struct cni_request *rq, struct err *e)
{
	const char *why = link_name_check(c->bridge);

	if (why)
		return err_set(e, CNI_CODE(CNI_BAD_CONFIG), "bridge: %s %s", q(c->bridge), why);
	if (c->hairpin && c->promisc)
		return bad(e, "cannot set hairpin mode and promiscuous mode at the same time");
	if (c->no_container_interface && rq->ipam)
		return bad(e, "cannot use IPAM when disableContainerInterface flag is set");
	return check_vlans(c, e);
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
	r = check(ret, rq, e);
	return r < 0 ? r : cni_mac_decode(rq, NULL, &ret->mac, e);
}
