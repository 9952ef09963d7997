/*
 * bandwidth: limits what a container receives (ingress) and sends (egress).  Chained.
 *
 * Ingress is a token bucket on the host's end of the pair.  The host's end receives what the container
 * sends, and receiving cannot be queued: so that is redirected through an ifb, which has a token bucket
 * as well.  The ifb carries its owner as its alias.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cni-plugins/bandwidth/conf.h"
#include "cni-plugins/skel/chain.h"
#include "cni-plugins/skel/code.h"
#include "cni-plugins/skel/endpoint.h"
#include "cni-plugins/skel/hash.h"
#include "cni-plugins/skel/skel.h"
#include "sys/link_child.h"
#include "sys/tc.h"

#define QUEUE_MS 25 /* how long a packet may wait, as the reference plugin has it */

struct attachment {
	const struct cni_request *rq;
	struct bandwidth_conf limits;
	struct netns ns;
	struct nl host;
	struct link veth; /* the host's end */
	char ifb[IFNAMSIZ];
};
#define ATTACHMENT_INIT {.ns = NETNS_INIT, .host = NL_INIT}

static void attachment_done(struct attachment *a)
{
	netns_close(&a->ns);
	nl_close(&a->host);
}
#define _cleanup_attachment_ __attribute__((cleanup(attachment_done)))

/* --- what is made of it --- */

static struct tbf tbf_of(int64_t rate_bits, int64_t burst_bits)
{
	struct tbf t = {.rate = (uint64_t) rate_bits / 8, .burst = (uint32_t) (burst_bits / 8)};
	unsigned __int128 limit = (unsigned __int128) t.rate * QUEUE_MS / 1000 + t.burst;

	t.limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t) limit;
	return t;
}

/* "bwp" and 12 digits of a hash over whose it is. */
static void name_ifb(const struct cni_request *rq, char name[static IFNAMSIZ])
{
	_cleanup_free_ char *owner =
		xasprintf("%s %s %s", rq->name, rq->container_id, rq->ifname);

	(void) snprintf(name, IFNAMSIZ, "bwp%012llx",
			(unsigned long long) (cni_hash(owner) & 0xffffffffffffu));
}

/* --- the links --- */

/* The other end of the container's interface. */
static int find_veth(struct attachment *a, struct err *e)
{
	_cleanup_nl_ struct nl inside = NL_INIT;
	struct link l;
	int r = netns_open(a->rq, &a->ns, e);

	if (r >= 0)
		r = nl_open(&a->host, NETLINK_ROUTE, e);
	if (r >= 0)
		r = netns_socket(&a->ns, &inside, e);
	if (r >= 0)
		r = link_get(&inside, a->rq->ifname, &l, e);
	if (r == -ENODEV || (r >= 0 && (strcmp(l.kind, "veth") || !l.peer)))
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "no host interface found: %s is not one end of a pair",
			       q(a->rq->ifname));
	return r < 0 ? r : link_get_index(&a->host, l.peer, &a->veth, e);
}

static int make_ifb(struct attachment *a, struct link *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct link_child ifb = {
		.name = a->ifb, .kind = "ifb", .mtu = a->veth.mtu, .netns = -EBADF};
	char alias[LINK_ALIAS_MAX];
	struct link_change up = {.name = a->ifb, .flags = IFF_UP, .mask = IFF_UP, .alias = alias};

	endpoint_alias(a->rq, alias);
	link_put_child(&b, &ifb);
	nl_ignore(&b, EEXIST);
	/* In one message: who is killed between a link and its alias leaves what GC cannot tell from another's. */
	link_put_change(&b, 0, &up);
	link_put_get(&b, a->ifb);
	return nl_run(&a->host, &b, link_answer, ret, e);
}

static int limit_egress(struct attachment *a, struct link *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct tbf t = tbf_of(a->limits.egress_rate, a->limits.egress_burst);
	bool redirected = false;
	int r = make_ifb(a, ret, e);

	if (r >= 0)
		r = tc_have_redirect(&a->host, a->veth.index, &redirected, NULL);
	if (r < 0 && ret->index)
		r = 0; /* no ingress queue yet */
	if (r < 0)
		return r;
	tc_put_tbf(&b, ret->index, &t, NLM_F_REPLACE);
	if (!redirected) {
		tc_put_ingress(&b, a->veth.index, NLM_F_EXCL);
		nl_ignore(&b, EEXIST);
		tc_put_redirect(&b, a->veth.index, ret->index);
	}
	return nl_run(&a->host, &b, NULL, NULL, e);
}

static int limit_ingress(struct attachment *a, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct tbf t = tbf_of(a->limits.ingress_rate, a->limits.ingress_burst);

	tc_put_tbf(&b, a->veth.index, &t, NLM_F_REPLACE);
	return nl_run(&a->host, &b, NULL, NULL, e);
}

static int remove_ifb(const struct cni_request *rq, struct nl *host, struct err *e)
{
	char name[IFNAMSIZ];
	struct link l;
	int r;

	name_ifb(rq, name);
	r = link_get(host, name, &l, e);
	if (r == -ENODEV) {
		err_done(e);
		return 0;
	}
	return r < 0 ? r : link_del(host, l.index, e);
}

static int apply(struct attachment *a, struct link *ifb, struct err *e)
{
	int r = a->limits.ingress_rate ? limit_ingress(a, e) : 0;

	if (r >= 0 && a->limits.egress_rate)
		r = limit_egress(a, ifb, e);
	if (r < 0 && a->rq->command == CNI_ADD)
		(void) remove_ifb(a->rq, &a->host, NULL);
	return r;
}

/* --- commands --- */

static int add(const struct cni_request *rq, struct cni_result *ret, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	struct link ifb = {0};
	char mac[LINK_MAC_TEXT];
	int r = bandwidth_conf_decode(rq, &a.limits, e);

	a.rq = rq;
	if (r >= 0)
		r = chain_pass_on(rq, ret, e);
	if (r < 0 || bandwidth_conf_is_empty(&a.limits))
		return r;
	name_ifb(rq, a.ifb);
	r = find_veth(&a, e);
	if (r >= 0)
		r = apply(&a, &ifb, e);
	if (r >= 0 && ifb.index)
		(void) cni_result_add_interface(ret, ifb.name, link_mac_text(ifb.mac, mac), NULL);
	return r;
}

/* The queues go with the pair; the ifb is not part of it. */
static int del(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl host = NL_INIT;
	int r = nl_open(&host, NETLINK_ROUTE, e);

	return r < 0 ? r : remove_ifb(rq, &host, e);
}

/* What the kernel gives back of the burst is rounded to its ticks. */
static int check_tbf(struct attachment *a, const struct link *l, int64_t rate, int64_t burst,
		     struct err *e)
{
	struct tbf want = tbf_of(rate, burst), have = {0};
	bool found;
	int r = tc_get_tbf(&a->host, l->index, &have, &found, e);
	uint64_t slack = want.rate * 64 / 1000000000u + 1;
	/* The kernel tells the burst as a time, in 32 bits of 64 ns; longer ones it tells wrong. */
	bool told = (unsigned __int128) want.burst * 1000000000u / 64 <=
		    (unsigned __int128) want.rate * UINT32_MAX;

	if (r < 0)
		return r;
	if (!found)
		return err_set(e, CNI_CODE(CNI_OTHER), "bandwidth: link %s has no limit", l->name);
	if (have.rate != want.rate || have.limit != want.limit ||
	    (told &&
	     (have.burst + slack < want.burst || have.burst > want.burst + slack)))
		return err_set(e, CNI_CODE(CNI_OTHER),
			       "bandwidth: link %s has another limit: rate %llu, burst %u bytes",
			       l->name, (unsigned long long) have.rate, have.burst);
	return 0;
}

static int check_egress(struct attachment *a, struct err *e)
{
	struct link ifb;
	bool redirected;
	int r = link_get(&a->host, a->ifb, &ifb, e);

	if (r == -ENODEV)
		return err_set(e, CNI_CODE(CNI_OTHER), "bandwidth: link %s is missing", a->ifb);
	if (r >= 0)
		r = check_tbf(a, &ifb, a->limits.egress_rate, a->limits.egress_burst, e);
	if (r >= 0 && (tc_have_redirect(&a->host, a->veth.index, &redirected, NULL) < 0 ||
		       !redirected))
		r = err_set(e, CNI_CODE(CNI_OTHER), "bandwidth: link %s is not redirected to %s",
			    a->veth.name, a->ifb);
	return r;
}

static int check(const struct cni_request *rq, struct err *e)
{
	_cleanup_attachment_ struct attachment a = ATTACHMENT_INIT;
	struct link ifb = {0};
	int r = cni_request_need_prev(rq, e);

	a.rq = rq;
	if (r >= 0)
		r = bandwidth_conf_decode(rq, &a.limits, e);
	if (r < 0 || bandwidth_conf_is_empty(&a.limits))
		return r;
	name_ifb(rq, a.ifb);
	r = find_veth(&a, e);
	if (r >= 0 && chain_wants_repair(rq))
		r = apply(&a, &ifb, e);
	if (r >= 0 && a.limits.ingress_rate)
		r = check_tbf(&a, &a.veth, a.limits.ingress_rate, a.limits.ingress_burst, e);
	if (r >= 0 && a.limits.egress_rate)
		r = check_egress(&a, e);
	return r;
}

static int gc(const struct cni_request *rq, struct err *e)
{
	_cleanup_nl_ struct nl host = NL_INIT;
	int r = rq->valid.known ? nl_open(&host, NETLINK_ROUTE, e) : 0;

	return r < 0 || !rq->valid.known ? r : endpoint_gc_kind(rq, &host, "ifb", 0, e);
}

int main(void)
{
	static const struct cni_plugin plugin = {
		.name = "bandwidth", .since = CNI_0_3_0, .add = add, .del = del, .check = check, .gc = gc};

	return cni_main(&plugin);
}
