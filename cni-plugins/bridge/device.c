#include "cni-plugins/bridge/device.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/bridge/vlan.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/sysctl.h"
#include "sys/inet.h"
#include "sys/link_vlan.h"

static int check_kind(const struct bridge_conf *c, const struct link *l, struct err *e)
{
	if (!strcmp(l->kind, "bridge"))
		return 0;
	return err_set(e, CNI_CODE(CNI_OTHER), "%s already exists but is not a bridge",
		       q(c->bridge));
}

static int create(struct nl *host, const struct bridge_conf *c, struct link *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	unsigned char mac[LINK_MAC_LEN];
	int r;

	if (link_random_mac(mac) < 0)
		return err_set(e, EIO, "random link address");
	link_put_bridge(&b, c->bridge, mac, (unsigned) c->mtu, vlan_wanted(c));
	nl_ignore(&b, EEXIST);
	link_put_get(&b, c->bridge);
	r = nl_run(host, &b, link_answer, ret, e);
	return r == -EOPNOTSUPP && vlan_wanted(c) ? vlan_unsupported(c, e) : r;
}

/*
 * A bridge that was here before.  Its other ports stay in the default VLAN, among themselves and
 * with the host, as they were.
 */
static int ensure_filtering(struct nl *host, const struct bridge_conf *c, struct link *l,
			    struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	int r;

	if (!vlan_wanted(c) || l->vlan_filtering)
		return 0;
	link_put_vlan_filtering(&b, l->index);
	link_put_get(&b, c->bridge);
	r = nl_run(host, &b, link_answer, l, e);
	if (r == -EOPNOTSUPP || (r >= 0 && !l->vlan_filtering))
		return vlan_unsupported(c, e);
	return r;
}

int bridge_device_ensure(struct nl *host, const struct bridge_conf *c, struct link *ret,
			 struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change change = {.name = c->bridge, .flags = IFF_UP, .mask = IFF_UP};
	int r = link_get(host, c->bridge, ret, e);

	if (r == -ENODEV)
		r = create(host, c, ret, e);
	if (r >= 0)
		r = check_kind(c, ret, e);
	/*
	 * Whoever made it: containers must not route the host (CVE-2020-10749), and its link-local
	 * address comes with the first port.
	 */
	if (r >= 0)
		r = sysctl_host_link(c->bridge, e);
	if (r >= 0)
		r = ensure_filtering(host, c, ret, e);
	if (r < 0)
		return r;
	if (c->promisc) {
		change.flags |= IFF_PROMISC;
		change.mask |= IFF_PROMISC;
	}
	if ((ret->flags & change.mask) == change.flags)
		return 0;
	link_put_change(&b, ret->index, &change);
	return nl_run(host, &b, NULL, NULL, e);
}

static bool has(const struct cidr *list, size_t n, const struct cidr *c)
{
	for (size_t i = 0; i < n; i++)
		if (cidr_eq(&list[i], c))
			return true;
	return false;
}

/* -EEXIST with a message, or 0. Addresses that stand in the way are put down for removal. */
static int clear(struct nl_batch *b, const struct bridge_conf *c, const struct link *l,
		 const struct cidr *have, const struct cidr *want, struct err *e)
{
	char text[CIDR_TEXT_MAX];

	if (have->ip.family != want->ip.family ||
	    (have->ip.family == AF_INET6 && !cidr_overlaps(have, want)))
		return 0;
	if (!c->force_address)
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "%s already has an IP address different from %s", q(l->name),
			       cidr_text(want, text));
	inet_put_addr_del(b, have, l->index);
	nl_ignore(b, EADDRNOTAVAIL);
	return 0;
}

int bridge_device_address(struct nl *host, const struct bridge_conf *c, const struct link *l,
			  const struct cidr *addrs, size_t n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change pin = {.name = l->name, .mac = l->mac};
	_cleanup_free_ struct cidr *have = NULL;
	size_t n_have;
	int r = inet_list_addrs(host, l->index, AF_UNSPEC, &have, &n_have, e);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct inet_addr a = {.addr = addrs[i], .link = l->index};

		if (has(have, n_have, &addrs[i]))
			continue;
		for (size_t j = 0; r >= 0 && j < n_have; j++)
			if (!has(addrs, n, &have[j]))
				r = clear(&b, c, l, &have[j], &addrs[i], e);
		inet_put_addr(&b, &a, NLM_F_EXCL);
		/* A neighbour's ADD was faster. */
		nl_ignore(&b, EEXIST);
	}
	if (r < 0 || !b.n)
		return r;
	/* Set to what it is, it no longer follows the ports': neighbours know the gateway by it. */
	link_put_change(&b, l->index, &pin);
	return nl_run(host, &b, NULL, NULL, e);
}

/* A bridge that was not pinned has the lowest of its ports' addresses, whoever comes and goes. */
static int check_mac(struct nl *host, const struct link *bridge, const char *mac, struct err *e)
{
	_cleanup_free_ struct link *ports = NULL;
	char text[LINK_MAC_TEXT];
	size_t n = 0;
	int r;

	if (!mac || !*mac || !strcasecmp(mac, link_mac_text(bridge->mac, text)))
		return 0;
	r = link_list(host, NULL, bridge->index, &ports, &n, e);
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (!memcmp(ports[i].mac, bridge->mac, sizeof bridge->mac))
			return 0;
	return r < 0 ? r
		     : err_set(e, CNI_CODE(CNI_OTHER), "bridge %s: MAC %s does not match prevResult's %s",
			       q(bridge->name), text, q(mac));
}

int bridge_device_check(struct nl *host, const struct bridge_conf *c, const char *mac,
			struct link *ret, struct err *e)
{
	int r = link_get(host, c->bridge, ret, e);

	if (r == -ENODEV)
		return err_set(e, CNI_CODE(CNI_OTHER), "bridge %s does not exist", q(c->bridge));
	if (r >= 0)
		r = check_kind(c, ret, e);
	if (r < 0)
		return r;
	if (!(ret->flags & IFF_UP))
		return err_set(e, CNI_CODE(CNI_OTHER), "bridge %s is down", q(c->bridge));
	if (c->promisc != !!(ret->flags & IFF_PROMISC))
		return err_set(e, CNI_CODE(CNI_OTHER), "bridge %s is %sin promiscuous mode",
			       q(c->bridge), c->promisc ? "not " : "");
	return check_mac(host, ret, mac, e);
}
