/*
 * tap: a tap device in the container, for a virtual machine that runs there.  It stays when nobody
 * has it open, and is owner's (and group's) to open.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/mac.h"
#include "cni-plugins/skel/skel.h"

#define TUN_DEVICE "/dev/net/tun"

struct conf {
	bool multi_queue, has_owner, has_group;
	int64_t mtu, owner, group;
	char *own_mac, *selinux, *bridge; /* owned */
	struct cni_mac mac;
};

static void conf_done(struct conf *c)
{
	free(c->own_mac);
	free(c->selinux);
	free(c->bridge);
}
#define _cleanup_conf_ __attribute__((cleanup(conf_done)))

static int decode(const struct cni_request *rq, struct conf *c, struct err *e)
{
	static const struct json_field fields[] = {
		{CNI_FIELD(struct conf, "multiQueue", BOOL, multi_queue)},
		{CNI_FIELD(struct conf, "mtu", I64, mtu), .min = 0, .max = 65535},
		{CNI_FIELD(struct conf, "mac", STRING, own_mac)},
		{CNI_FIELD(struct conf, "owner", I64, owner), .min = 0, .max = UINT32_MAX - 1,
		 .present = offsetof(struct conf, has_owner)},
		{CNI_FIELD(struct conf, "group", I64, group), .min = 0, .max = UINT32_MAX - 1,
		 .present = offsetof(struct conf, has_group)},
		{CNI_FIELD(struct conf, "selinuxContext", STRING, selinux)},
		{CNI_FIELD(struct conf, "bridge", STRING, bridge)},
	};
	int r = cni_request_decode(rq, fields, ELEMENTSOF(fields), c, e);

	if (r >= 0 && c->selinux && *c->selinux)
		return err_set(e, CNI_CODE(CNI_UNSUPPORTED_FIELD), "selinuxContext: not supported");
	return r < 0 ? r : cni_mac_decode(rq, c->own_mac, &c->mac, e);
}

/* In the namespace: the device belongs to where its file was opened. */
static int make_device(const struct cni_request *rq, const struct conf *c, struct err *e)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	_cleanup_fd_ int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open " TUN_DEVICE);
	if (c->multi_queue)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	ifr.ifr_flags |= IFF_TUN_EXCL;
	(void) snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", rq->ifname);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return errno == EBUSY ? err_set(e, CNI_CODE(CNI_OTHER),
						"container interface %s already exists",
						q(rq->ifname))
				      : err_sys(e, "create tap %s", rq->ifname);
	if (c->has_owner && ioctl(fd, TUNSETOWNER, (unsigned long) c->owner) < 0)
		return err_sys(e, "tap %s: owner %lld", rq->ifname, (long long) c->owner);
	if (c->has_group && ioctl(fd, TUNSETGROUP, (unsigned long) c->group) < 0)
		return err_sys(e, "tap %s: group %lld", rq->ifname, (long long) c->group);
	/* Until here it goes with the descriptor. */
	return ioctl(fd, TUNSETPERSIST, 1L) < 0 ? err_sys(e, "keep tap %s", rq->ifname) : 0;
}

static int find_bridge(struct nl *inside, const struct conf *c, int *ret, struct err *e)
{
	struct link bridge;
	int r;

	*ret = 0;
	if (!c->bridge || !*c->bridge)
		return 0;
	r = link_get(inside, c->bridge, &bridge, e);
	if (r < 0)
		return err_ctx(e, r, "bridge %s in the container", q(c->bridge));
	*ret = bridge.index;
	return 0;
}

static int set_up(const struct cni_request *rq, const struct conf *c, struct nl *inside,
		  struct link *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change change = {.name = rq->ifname,
				     .mtu = (unsigned) c->mtu,
				     .mac = c->mac.wanted ? c->mac.mac : NULL};
	int r = find_bridge(inside, c, &change.master, e);

	if (r >= 0)
		r = link_get(inside, rq->ifname, ret, e);
	if (r < 0)
		return r;
	link_put_change(&b, ret->index, &change);
	link_put_get(&b, rq->ifname);
	return nl_run(inside, &b, link_answer, ret, e);
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link l = {0};
	int r = decode(rq, &c, e);

	if (r >= 0)
		r = netns_open(rq, &ns, e);
	if (r >= 0)
		r = netns_socket(&ns, &inside, e);
	if (r >= 0)
		r = netns_enter(&ns, e);
	if (r < 0)
		return r;
	r = make_device(rq, &c, e);
	netns_leave(&ns);
	if (r < 0)
		return r;
	r = set_up(rq, &c, &inside, &l, e);
	if (r >= 0)
		r = ipam_call(rq, CNI_ADD, ret, e);
	if (r >= 0)
		r = child_configure(rq, &ns, &inside, l.index, ret, true, e);
	if (r >= 0) {
		child_report(rq, &l, ret);
		return 0;
	}
	(void) child_del(rq, NULL);
	return r;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_conf_ struct conf c = {0};
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	struct link l;
	int r = cni_request_need_prev(rq, e);

	if (r >= 0)
		r = decode(rq, &c, e);
	if (r >= 0)
		r = netns_open(rq, &ns, e);
	if (r >= 0)
		r = ipam_call(rq, CNI_CHECK, NULL, e);
	if (r >= 0)
		r = endpoint_check_inside(rq, &ns, "tun", &l, e);
	if (r >= 0 && c.mtu && l.mtu != c.mtu)
		r = err_set(e, CNI_CODE(CNI_OTHER), "interface %s: mtu is %u, not %lld",
			    q(rq->ifname), l.mtu, (long long) c.mtu);
	return r;
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "tap",
		.add = add,
		.del = child_del,
		.check = check,
		.gc = child_gc,
		.status = child_status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
