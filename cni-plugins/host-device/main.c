/*
 * host-device: a link of the host goes into the container, and comes back.
 *
 * Its name on the host is kept as its alias while it is away.  Hardware comes back by itself when the
 * namespace ends; then DEL has only the addresses to release.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/host-device/device.h"
#include "cni-plugins/skel/child.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/ipam.h"
#include "cni-plugins/skel/skel.h"

struct attachment {
	const struct cni_request *rq;
	struct host_device_conf conf;
	struct netns ns;
	struct nl host, inside;
	struct link link;
};
#define ATTACHMENT_INIT {.ns = NETNS_INIT, .host = NL_INIT, .inside = NL_INIT}

static void attachment_done(struct attachment *a)
{
	host_device_conf_done(&a->conf);
	netns_close(&a->ns);
	nl_close(&a->host);
	nl_close(&a->inside);
}
#define _cleanup_attachment_ __attribute__((cleanup(attachment_done)))

static int open_all(struct attachment *a, struct err *e)
{
	int r = netns_open(a->rq, &a->ns, e);

	if (r >= 0)
		r = nl_open(&a->host, NETLINK_ROUTE, e);
	return r < 0 ? r : netns_socket(&a->ns, &a->inside, e);
}

/*
 * Down, as it came; under the name that it had, or the kernel's choice when that is taken by now, or is no
 * name: a container that may change its links may change the alias.  The kernel moves first and renames
 * then: a name that is taken would be noticed when it is half done.
 */
static int move_out(struct nl *host, const struct netns *ns, struct nl *inside,
		    const struct link *l, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change down = {.name = l->name, .mask = IFF_UP};
	struct link_change home = {
		.name = l->name, .alias = "", .new_name = l->alias, .netns = ns->self + 1};
	struct link taken;

	if (link_name_check(l->alias) ||
	    link_get(host, l->alias, &taken, NULL) >= 0)
		home.new_name = "dev%d";
	link_put_change(&b, l->index, &down);
	link_put_change(&b, l->index, &home);
	return nl_run(inside, &b, NULL, NULL, e);
}

static int move_in(struct attachment *a, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_change c = {
		.name = a->link.name,
		.alias = a->link.name,
		.new_name = a->rq->ifname,
		.netns = a->ns.fd + 1,
	};
	int r = endpoint_is_free(a->rq, &a->inside, e);

	if (r < 0)
		return r;
	link_put_change(&b, a->link.index, &c);
	r = nl_run(&a->host, &b, NULL, NULL, e);
	return r < 0 ? r : link_get(&a->inside, a->rq->ifname, &a->link, e);
}

static int attach(struct attachment *a, struct cni_result *ret, struct err *e)
{
	int r = ipam_call(a->rq, CNI_ADD, ret, e);

	if (r >= 0 && a->rq->ipam && !ret->n_ips)
		r = err_set(e, CNI_CODE(CNI_OTHER), "IPAM plugin returned missing IP config");
	if (r >= 0)
		r = child_configure(a->rq, &a->ns, &a->inside, a->link.index, ret, false, e);
	return r;
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	int r = host_device_conf_decode(rq, &a.conf, e);

	a.rq = rq;
	if (r >= 0 && host_device_is_dpdk(&a.conf)) {
		/* There is nothing to move: the container drives the card itself. */
		cni_result_add_interface(ret, rq->ifname, NULL, rq->netns)->pci_id =
			xstrdup(a.conf.pci);
		return ipam_call(rq, CNI_ADD, ret, e);
	}
	if (r >= 0)
		r = open_all(&a, e);
	if (r >= 0)
		r = host_device_find(&a.host, &a.conf, &a.link, e);
	if (r >= 0)
		r = move_in(&a, e);
	if (r < 0)
		return r;
	r = attach(&a, ret, e);
	if (r < 0) {
		(void) ipam_call(rq, CNI_DEL, NULL, NULL);
		(void) move_out(&a.host, &a.ns, &a.inside, &a.link, NULL);
		return r;
	}
	child_report(rq, &a.link, ret);
	return 0;
}

/* The link, if it is there and one of ours, goes home; its lease is free in any case. */
static int bring_back(const struct cni_request *rq, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl host = NL_INIT, inside = NL_INIT;
	struct link l;
	int r = netns_open_for_del(rq, &ns, e);

	if (r <= 0)
		return r;
	r = nl_open(&host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = netns_socket(&ns, &inside, e);
	if (r >= 0)
		r = link_get(&inside, rq->ifname, &l, e);
	if (r == -ENODEV || (r >= 0 && !*l.alias)) {
		err_done(e);
		return 0;
	}
	return r < 0 ? r : move_out(&host, &ns, &inside, &l, e);
}

static int del(const struct cni_request *rq, struct err *e)
{
	return ipam_del_with_link(rq, bring_back, e);
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	int r = cni_request_need_prev(rq, e);

	a.rq = rq;
	if (r >= 0)
		r = host_device_conf_decode(rq, &a.conf, e);
	if (r >= 0)
		r = ipam_call(rq, CNI_CHECK, NULL, e);
	if (r < 0 || host_device_is_dpdk(&a.conf))
		return r;
	r = netns_open(rq, &a.ns, e);
	return r < 0 ? r : endpoint_check_inside(rq, &a.ns, NULL, &a.link, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "host-device",
		.add = add,
		.del = del,
		.check = check,
		.gc = child_gc,
		.status = child_status,
		.builtin_ipam = ipam_builtin,
	};

	return cni_main(&plugin);
}
