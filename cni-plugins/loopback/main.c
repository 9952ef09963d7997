/*
 * loopback: brings lo up in the container.  CNI_IFNAME is taken for granted, the interface is
 * always lo.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/netns.h"
#include "cni-plugins/skel/skel.h"
#include "sys/inet.h"
#include "sys/link.h"

static int open_inside(const struct cni_request *rq, struct nl *inside, struct err *e)
{
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	int r = netns_open(rq, &ns, e);

	return r < 0 ? r : netns_socket(&ns, inside, e);
}

static bool is_loopback(const struct ip *ip)
{
	static const struct ip v6 = {.family = AF_INET6, .b = {[15] = 1}};

	return ip->family == AF_INET ? ip->b[0] == 127 : ip_eq(ip, &v6);
}

static int report(const struct cni_request *rq, struct nl *inside, const struct link *lo,
		  struct cni_result *ret, struct err *e)
{
	_cleanup_free_ struct cidr *addrs = NULL;
	char mac[LINK_MAC_TEXT], text[CIDR_TEXT_MAX];
	size_t n;
	int r = inet_list_addrs(inside, lo->index, AF_UNSPEC, &addrs, &n, e);

	if (r < 0)
		return r;
	(void) cni_result_add_interface(ret, "lo", link_mac_text(lo->mac, mac), rq->netns);
	for (size_t i = 0; i < n; i++) {
		if (!is_loopback(&addrs[i].ip))
			return err_set(e, CNI_CODE(CNI_OTHER),
				       "loopback interface has a non-loopback address %s",
				       cidr_text(&addrs[i], text));
		cni_result_add_ip(ret, &addrs[i])->interface = 0;
	}
	return 0;
}

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link_change up = {.name = "lo", .flags = IFF_UP, .mask = IFF_UP};
	struct link lo = {0};
	int r = open_inside(rq, &inside, e);

	if (r < 0)
		return r;
	/* Every namespace is born with lo as its link 1 (LOOPBACK_IFINDEX in the kernel). */
	link_put_change(&b, 1, &up);
	link_put_get(&b, "lo");
	r = nl_run(&inside, &b, link_answer, &lo, e);
	if (r < 0)
		return r;
	/* Chained: the result is somebody else's, and goes on as it is. */
	if (rq->prev_error.code)
		return cni_request_need_prev(rq, e);
	if (rq->has_prev)
		return cni_result_decode(json_get(rq->conf, "prevResult"), JSON_TOP, rq->version,
					 ret, e);
	return report(rq, &inside, &lo, ret, e);
}

static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	_cleanup_netns_ struct netns ns = NETNS_INIT;
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link_change down = {.name = "lo", .mask = IFF_UP};
	int r = netns_open_for_del(rq, &ns, e);

	if (r <= 0)
		return r;
	r = netns_socket(&ns, &inside, e);
	if (r < 0)
		return r;
	link_put_change(&b, 1, &down);
	return nl_run(&inside, &b, NULL, NULL, e);
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link lo;
	int r = open_inside(rq, &inside, e);

	if (r >= 0)
		r = link_get(&inside, "lo", &lo, e);
	if (r < 0)
		return r;
	return lo.flags & IFF_UP ? 0
				 : err_set(e, CNI_CODE(CNI_OTHER), "loopback interface is down");
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "loopback", .add = add, .del = del, .check = check};

	return cni_main(&plugin);
}
