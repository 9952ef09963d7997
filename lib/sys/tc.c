#include "sys/tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#include "base/mem.h"

/* The kernel's scheduler counts in units of 64 ns (PSCHED_SHIFT, include/net/pkt_sched.h). */
#define TICK_NS 64
#define NS_PER_S 1000000000ull
#define INGRESS_HANDLE 0xffff0000u
#define HANDLE_1 0x00010000u /* 1: */

static struct tcmsg *put(struct nl_batch *b, uint16_t type, uint16_t flags, int link,
			 const char *what)
{
	struct tcmsg *m = nl_add(b, type, flags, sizeof *m, "tc: %s", what);

	m->tcm_family = AF_UNSPEC;
	m->tcm_ifindex = link;
	return m;
}

/* How long it takes to send so many bytes, in ticks. */
static uint32_t ticks_of(uint64_t bytes, uint64_t rate)
{
	unsigned __int128 ns = (unsigned __int128) bytes * NS_PER_S / rate / TICK_NS;

	return ns > UINT32_MAX ? UINT32_MAX : (uint32_t) ns;
}

void tc_put_tbf(struct nl_batch *b, int link, const struct tbf *t, uint16_t flags)
{
	struct tcmsg *m = put(b, RTM_NEWQDISC, (uint16_t) (NLM_F_CREATE | flags), link,
			      "limit a link");
	struct tc_tbf_qopt opt = {
		.rate = {.rate = t->rate > UINT32_MAX ? UINT32_MAX : (uint32_t) t->rate,
			 .linklayer = TC_LINKLAYER_ETHERNET},
		.limit = t->limit,
		.buffer = ticks_of(t->burst, t->rate),
	};
	struct nlattr *options;

	m->tcm_handle = HANDLE_1;
	m->tcm_parent = TC_H_ROOT;
	nl_attr_put_strz(b->cur, TCA_KIND, "tbf");
	options = nl_attr_nest_begin(b->cur, TCA_OPTIONS);
	nl_attr_put(b->cur, TCA_TBF_PARMS, sizeof opt, &opt);
	nl_attr_put_u32(b->cur, TCA_TBF_BURST, t->burst);
	if (t->rate > UINT32_MAX)
		nl_attr_put_u64(b->cur, TCA_TBF_RATE64, t->rate);
	nl_attr_nest_end(b->cur, options);
}

void tc_put_ingress(struct nl_batch *b, int link, uint16_t flags)
{
	struct tcmsg *m = put(b, RTM_NEWQDISC, (uint16_t) (NLM_F_CREATE | flags), link,
			      "add an ingress queue");

	m->tcm_handle = INGRESS_HANDLE;
	m->tcm_parent = TC_H_INGRESS;
	nl_attr_put_strz(b->cur, TCA_KIND, "ingress");
}

void tc_put_redirect(struct nl_batch *b, int link, int to)
{
	struct tcmsg *m = put(b, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, link,
			      "redirect a link's traffic");
	struct tc_mirred mirred = {.action = TC_ACT_STOLEN, .eaction = TCA_EGRESS_REDIR};
	/* One key that everything matches; u32 is there where matchall is not. */
	struct {
		struct tc_u32_sel sel;
		struct tc_u32_key key;
	} all = {.sel = {.flags = TC_U32_TERMINAL, .nkeys = 1}};
	struct nlattr *options, *actions, *action, *act_options;

	mirred.ifindex = (uint32_t) to;
	m->tcm_parent = INGRESS_HANDLE;
	m->tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL));
	nl_attr_put_strz(b->cur, TCA_KIND, "u32");
	options = nl_attr_nest_begin(b->cur, TCA_OPTIONS);
	nl_attr_put(b->cur, TCA_U32_SEL, sizeof all, &all);
	actions = nl_attr_nest_begin(b->cur, TCA_U32_ACT);
	action = nl_attr_nest_begin(b->cur, 1);
	nl_attr_put_strz(b->cur, TCA_ACT_KIND, "mirred");
	act_options = nl_attr_nest_begin(b->cur, TCA_ACT_OPTIONS);
	nl_attr_put(b->cur, TCA_MIRRED_PARMS, sizeof mirred, &mirred);
	nl_attr_nest_end(b->cur, act_options);
	nl_attr_nest_end(b->cur, action);
	nl_attr_nest_end(b->cur, actions);
	nl_attr_nest_end(b->cur, options);
}

/* --- looking --- */

struct tbf_search {
	int link;
	bool found;
	struct tbf *ret;
};

static void decode_options(const struct nlattr *options, struct tbf *t)
{
	const struct tc_tbf_qopt *opt = NULL;
	const struct nlattr *a;
	uint64_t rate64 = 0;

	nl_attr_for_each_nested(a, options) {
		if (nl_attr_type(a) == TCA_TBF_PARMS &&
		    nl_attr_len(a) >= sizeof *opt)
			opt = nl_attr_payload(a);
		else if (nl_attr_type(a) == TCA_TBF_RATE64)
			rate64 = nl_attr_u64(a);
	}
	if (!opt)
		return;
	t->rate = rate64 ? rate64 : opt->rate.rate;
	t->limit = opt->limit;
	t->burst = (uint32_t) ((unsigned __int128) opt->buffer * TICK_NS * t->rate / NS_PER_S);
}

static int see_qdisc(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *m = nl_msg_payload(h);
	const struct nlattr *a, *options = NULL;
	struct tbf_search *s = arg;
	bool is_tbf = false;

	if (m->tcm_ifindex != s->link || m->tcm_parent != TC_H_ROOT)
		return 0;
	nl_attr_for_each(a, h, sizeof *m) {
		if (nl_attr_type(a) == TCA_KIND)
			is_tbf = nl_attr_str(a) && !strcmp(nl_attr_str(a), "tbf");
		else if (nl_attr_type(a) == TCA_OPTIONS)
			options = a;
	}
	if (!is_tbf || !options)
		return 0;
	s->found = true;
	decode_options(options, s->ret);
	return 0;
}

static void restart_qdisc(void *arg)
{
	((struct tbf_search *) arg)->found = false;
}

int tc_get_tbf(struct nl *nl, int link, struct tbf *ret, bool *found, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct tbf_search s = {.link = link, .ret = ret};
	struct nl_dump d = {.each = see_qdisc, .restart = restart_qdisc, .arg = &s};
	int r;

	(void) put(&b, RTM_GETQDISC, 0, link, "list queues");
	r = nl_dump(nl, &b, &d, e);
	*found = s.found;
	return r;
}

static int see_filter(const struct nlmsghdr *h, void *arg)
{
	if (h->nlmsg_type == RTM_NEWTFILTER)
		*(bool *) arg = true;
	return 0;
}

static void restart_filter(void *arg)
{
	*(bool *) arg = false;
}

int tc_have_redirect(struct nl *nl, int link, bool *ret, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct nl_dump d = {.each = see_filter, .restart = restart_filter, .arg = ret};
	struct tcmsg *m = put(&b, RTM_GETTFILTER, 0, link, "list filters");

	*ret = false;
	m->tcm_parent = INGRESS_HANDLE;
	return nl_dump(nl, &b, &d, e);
}
