#include "cni-plugins/bridge/vlan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/endpoint.h"
#include "cni-plugins/skel/owned.h"
#include "cni-plugins/skel/sysctl.h"
#include "sys/link_vlan.h"

bool vlan_wanted(const struct bridge_conf *c)
{
	return c->vlan || c->trunk.given;
}

int vlan_unsupported(const struct bridge_conf *c, struct err *e)
{
	return err_set(e, CNI_CODE(CNI_OTHER),
		       "%s: bridges of this kernel have no VLAN filtering "
		       "(CONFIG_BRIDGE_VLAN_FILTERING)",
		       c->vlan ? "vlan" : "vlanTrunk");
}

/* --- a port --- */

/* What a port has from the moment at which it becomes one: the bridge's default VLAN. */
static int put_leave(struct nl *host, struct nl_batch *b, int port, struct err *e)
{
	_cleanup_free_ struct link_vlan *have = NULL;
	size_t n = 0;
	int r = link_list_vlans(host, port, &have, &n, e);

	for (size_t i = 0; r >= 0 && i < n; i++)
		for (unsigned id = have[i].first; id <= have[i].last; id++)
			link_put_vlan_del(b, port, (uint16_t) id);
	return r;
}

static void put_missing(struct nl_batch *b, const struct bridge_conf *c, int port)
{
	struct link_vlan v = {.port = port, .first = (uint16_t) c->vlan, .last = (uint16_t) c->vlan,
			      .pvid = true, .untagged = true};
	unsigned first = 1, last;

	if (c->vlan)
		link_put_vlan(b, &v);
	for (; vlan_set_next(&c->trunk, &first, &last); first = last + 1) {
		v = (struct link_vlan) {
			.port = port, .first = (uint16_t) first, .last = (uint16_t) last};
		link_put_vlan(b, &v);
	}
}

int vlan_join(struct nl *host, const struct bridge_conf *c, int port, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	unsigned first = 1, last;
	int r = 0;

	if (!c->preserve_default_vlan && (c->vlan || vlan_set_next(&c->trunk, &first, &last)))
		r = put_leave(host, &b, port, e);
	if (r < 0)
		return r;
	put_missing(&b, c, port);
	return b.n ? nl_run(host, &b, NULL, NULL, e) : 0;
}

static bool covers(const struct link_vlan *v, unsigned id)
{
	return v->first <= id && id <= v->last;
}

static const struct link_vlan *find_vlan(const struct link_vlan *list, size_t n, unsigned id)
{
	for (size_t i = 0; i < n; i++)
		if (covers(&list[i], id))
			return &list[i];
	return NULL;
}

static int check_member(const struct bridge_conf *c, const struct link *port, unsigned id,
			const struct link_vlan *have, struct err *e)
{
	bool access = c->vlan != 0;

	if (!have)
		return err_set(e, CNI_CODE(CNI_OTHER), "link %s is not in VLAN %u", port->name, id);
	if (access ? have->pvid && have->untagged : !have->untagged)
		return 0;
	return err_set(e, CNI_CODE(CNI_OTHER), "link %s: VLAN %u should be %s", port->name, id,
		       access ? "the one without tags" : "tagged");
}

static int check_strange(const struct bridge_conf *c, const struct link *port,
			 const struct link_vlan *v, struct err *e)
{
	for (unsigned id = v->first; id <= v->last; id++)
		if (id != (unsigned) c->vlan && !vlan_set_has(&c->trunk, id))
			return err_set(e, CNI_CODE(CNI_OTHER),
				       "link %s is in VLAN %u, which the configuration does not "
				       "name", port->name, id);
	return 0;
}

int vlan_check(struct nl *host, const struct bridge_conf *c, const struct link *bridge,
	       const struct link *port, struct err *e)
{
	_cleanup_free_ struct link_vlan *have = NULL;
	size_t n = 0;
	unsigned first = 1, last;
	bool any = c->vlan || vlan_set_next(&c->trunk, &first, &last);
	int r;

	if (!bridge->vlan_filtering)
		return err_set(e, CNI_CODE(CNI_OTHER), "bridge %s does not filter VLANs",
			       bridge->name);
	r = link_list_vlans(host, port->index, &have, &n, e);
	if (r >= 0 && c->vlan)
		r = check_member(c, port, (unsigned) c->vlan,
				 find_vlan(have, n, (unsigned) c->vlan), e);
	for (unsigned id = 1; r >= 0 && id <= VLAN_ID_MAX; id++)
		if (vlan_set_has(&c->trunk, id))
			r = check_member(c, port, id, find_vlan(have, n, id), e);
	for (size_t i = 0; r >= 0 && any && !c->preserve_default_vlan && i < n; i++)
		r = check_strange(c, port, &have[i], e);
	return r;
}

int vlan_repair(struct nl *host, const struct bridge_conf *c, struct link *bridge,
		const struct link *port, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_err_ struct err ignored = ERR_INIT;
	_cleanup_free_ struct link_vlan *have = NULL;
	size_t n = 0;
	int r;

	if (vlan_check(host, c, bridge, port, &ignored) >= 0)
		return 0;
	if (!bridge->vlan_filtering)
		link_put_vlan_filtering(&b, bridge->index);
	r = link_list_vlans(host, port->index, &have, &n, e);
	if (r < 0)
		return r;
	for (size_t i = 0; !c->preserve_default_vlan && i < n; i++)
		for (unsigned id = have[i].first; id <= have[i].last; id++)
			if (id != (unsigned) c->vlan && !vlan_set_has(&c->trunk, id))
				link_put_vlan_del(&b, port->index, (uint16_t) id);
	put_missing(&b, c, port->index);
	r = nl_run(host, &b, NULL, NULL, e);
	bridge->vlan_filtering |= r >= 0;
	return r;
}

/* --- the gateway's interface --- */

/* BRIDGE.VLAN; bridge_conf_decode() saw that it fits. */
static void gateway_name(const struct bridge_conf *c, char name[IFNAMSIZ])
{
	(void) snprintf(name, IFNAMSIZ, "%s.%u", c->bridge, (unsigned) c->vlan);
}

static void gateway_alias(const struct bridge_conf *c, char alias[LINK_ALIAS_MAX])
{
	(void) snprintf(alias, LINK_ALIAS_MAX, "gateway of VLAN %u on %s", (unsigned) c->vlan,
			c->bridge);
}

static int lock_gateways(struct err *e)
{
	static const char path[] = OWNED_LOCK_DIR "/vlan.lock";
	_cleanup_err_ struct err first = ERR_INIT;
	int fd = lock_file_at(AT_FDCWD, path, LOCK_EXCLUSIVE, true, &first);

	if (fd == -ENOENT) {
		int r = path_mkdirs(OWNED_LOCK_DIR, 0700, e);

		if (r < 0)
			return r;
		return lock_file_at(AT_FDCWD, path, LOCK_EXCLUSIVE, true, e);
	}
	return fd < 0 ? err_move(e, &first) : fd;
}

static int bring_up(struct nl *host, const struct link *l, const char *alias, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change up = {
		.name = l->name, .flags = IFF_UP, .mask = IFF_UP, .alias = alias};
	int r = sysctl_host_link(l->name, e);

	link_put_change(&b, l->index, &up);
	return r < 0 ? r : nl_run(host, &b, NULL, NULL, e);
}

static int create_pair(struct nl *host, const struct bridge_conf *c, const struct link *bridge,
		       const char *name, struct link *ret, struct link *port, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_fd_ int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct link_veth v = {.master = bridge->index, .peer_netns = here};
	char port_name[IFNAMSIZ];
	uint32_t n;
	int r;

	if (here < 0)
		return err_sys(e, "open /proc/self/ns/net");
	if (getrandom(&n, sizeof n, 0) != sizeof n || link_random_mac(v.mac) < 0 ||
	    link_random_mac(v.peer_mac) < 0)
		return err_set(e, EIO, "random link address");
	(void) snprintf(port_name, sizeof port_name, "veth%08x", n);
	v.name = port_name;
	v.peer_name = name;
	v.mtu = c->mtu ? (unsigned) c->mtu : bridge->mtu;
	link_put_veth(&b, &v);
	r = nl_run(host, &b, NULL, NULL, e);
	if (r >= 0)
		r = link_get(host, port_name, port, e);
	return r < 0 ? r : link_get(host, name, ret, e);
}

static int make_gateway(struct nl *host, const struct bridge_conf *c, const struct link *bridge,
			const char *name, struct link *ret, struct err *e)
{
	_cleanup_err_ struct err ignored = ERR_INIT;
	char alias[LINK_ALIAS_MAX];
	struct link port = {0};
	int r = create_pair(host, c, bridge, name, ret, &port, e);

	gateway_alias(c, alias);
	if (r >= 0)
		r = vlan_join(host, c, port.index, e);
	if (r >= 0)
		r = bring_up(host, &port, alias, e);
	if (r >= 0)
		r = bring_up(host, ret, alias, e);
	if (r < 0 && port.index)
		(void) link_del(host, port.index, &ignored);
	return r;
}

int vlan_gateway_ensure(struct nl *host, const struct bridge_conf *c, const struct link *bridge,
			struct link *ret, struct err *e)
{
	_cleanup_fd_ int lock = lock_gateways(e);
	char name[IFNAMSIZ];
	int r;

	if (lock < 0)
		return lock;
	gateway_name(c, name);
	r = link_get(host, name, ret, e);
	if (r == -ENODEV)
		return make_gateway(host, c, bridge, name, ret, e);
	return r < 0 || ret->flags & IFF_UP ? r : bring_up(host, ret, NULL, e);
}

/* The other end of an interface that is ours; index 0: it is somebody else's, or stands on its own. */
static int gateway_port(struct nl *host, const struct bridge_conf *c, const struct link *gateway,
			struct link *ret, struct err *e)
{
	char alias[LINK_ALIAS_MAX];

	gateway_alias(c, alias);
	ret->index = 0;
	if (strcmp(gateway->alias, alias) || !gateway->peer)
		return 0;
	return link_get_index(host, gateway->peer, ret, e);
}

/* Networks with other trunks share the interface: its own VLAN is all that they agree on. */
static int check_gateway_port(struct nl *host, const struct bridge_conf *c,
			      const struct link *gateway, struct link *port, struct err *e)
{
	_cleanup_free_ struct link_vlan *have = NULL;
	size_t n = 0;
	int r = gateway_port(host, c, gateway, port, e);

	if (r < 0 || !port->index)
		return r;
	r = link_list_vlans(host, port->index, &have, &n, e);
	return r < 0 ? r
		     : check_member(c, port, (unsigned) c->vlan,
				    find_vlan(have, n, (unsigned) c->vlan), e);
}

int vlan_gateway_repair(struct nl *host, const struct bridge_conf *c, const struct link *gateway,
			struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_err_ struct err why = ERR_INIT;
	struct link port;
	struct link_vlan v = {.first = (uint16_t) c->vlan, .last = (uint16_t) c->vlan,
			      .pvid = true, .untagged = true};

	if (check_gateway_port(host, c, gateway, &port, &why) >= 0)
		return 0;
	if (!port.index)
		return err_move(e, &why);
	v.port = port.index;
	link_put_vlan(&b, &v);
	return nl_run(host, &b, NULL, NULL, e);
}

int vlan_gateway_check(struct nl *host, const struct bridge_conf *c, struct link *ret,
		       struct err *e)
{
	char name[IFNAMSIZ];
	struct link port;
	int r;

	gateway_name(c, name);
	r = link_get(host, name, ret, e);
	if (r == -ENODEV)
		return err_set(e, CNI_CODE(CNI_OTHER), "the gateway's interface %s does not exist",
			       name);
	if (r >= 0 && !(ret->flags & IFF_UP))
		return err_set(e, CNI_CODE(CNI_OTHER), "the gateway's interface %s is down", name);
	return r < 0 ? r : check_gateway_port(host, c, ret, &port, e);
}

/* Is a port of the bridge in the VLAN that is neither the gateway's nor this attachment's? */
static int has_users(const struct cni_request *rq, struct nl *host, const struct bridge_conf *c,
		     const struct link *bridge, bool *ret, struct err *e)
{
	_cleanup_free_ struct link_vlan *vlans = NULL;
	_cleanup_free_ struct link *ports = NULL;
	char gateway[LINK_ALIAS_MAX], own[LINK_ALIAS_MAX];
	size_t n = 0, n_vlans = 0;
	int r = link_list(host, NULL, bridge->index, &ports, &n, e);

	gateway_alias(c, gateway);
	endpoint_alias(rq, own);
	if (r >= 0)
		r = link_list_vlans(host, 0, &vlans, &n_vlans, e);
	*ret = false;
	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (!strcmp(ports[i].alias, gateway) || (*own && !strcmp(ports[i].alias, own)))
			continue;
		for (size_t j = 0; j < n_vlans; j++)
			*ret |= vlans[j].port == ports[i].index &&
				covers(&vlans[j], (unsigned) c->vlan);
	}
	return r;
}

int vlan_gateway_drop(const struct cni_request *rq, struct nl *host, const struct bridge_conf *c,
		      struct err *e)
{
	_cleanup_fd_ int lock = lock_gateways(e);
	_cleanup_err_ struct err why = ERR_INIT;
	char alias[LINK_ALIAS_MAX], name[IFNAMSIZ];
	struct link gateway, bridge;
	bool users = true;
	int r;

	if (lock < 0)
		return lock;
	gateway_name(c, name);
	gateway_alias(c, alias);
	r = link_get(host, name, &gateway, &why);
	if (r >= 0 && strcmp(gateway.alias, alias))
		return 0;
	if (r >= 0)
		r = link_get(host, c->bridge, &bridge, &why);
	if (r == -ENODEV)
		return 0;
	if (r >= 0)
		r = has_users(rq, host, c, &bridge, &users, &why);
	if (r >= 0 && !users)
		r = link_del(host, gateway.index, &why);
	return r < 0 ? err_move(e, &why) : 0;
}
