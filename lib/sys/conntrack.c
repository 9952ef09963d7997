#include "sys/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "base/mem.h"

/* The kernel's net/netfilter/nf_internals.h since 5.8; not in the headers of user space. */
#define FILTER_PROTO_NUM (1u << 3)
#define FILTER_PROTO_DST_PORT (1u << 5)

struct search {
	int family;
	uint8_t protocol;
	const struct ip *to;
	uint16_t port; /* network order */
	struct nl_batch doomed;
};

static struct nfgenmsg *request(struct nl_batch *b, uint16_t type, int family, const char *what)
{
	struct nfgenmsg *m = nl_add(b, (uint16_t) (NFNL_SUBSYS_CTNETLINK << 8 | type), 0, sizeof *m,
				    "conntrack: %s", what);

	m->nfgen_family = (uint8_t) family;
	m->version = NFNETLINK_V0;
	return m;
}

static const struct nlattr *nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;

	if (nest)
		nl_attr_for_each_nested(a, nest)
			if (nl_attr_type(a) == type)
				return a;
	return NULL;
}

static bool is_address(const struct nlattr *ip, const struct ip *want)
{
	uint16_t type = want->family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST;
	const struct nlattr *a = nested(ip, type);

	return a && nl_attr_len(a) == ip_size(want) &&
	       !memcmp(nl_attr_payload(a), want->b, ip_size(want));
}

static bool matches(const struct search *s, const struct nlattr *tuple)
{
	const struct nlattr *proto = nested(tuple, CTA_TUPLE_PROTO);
	const struct nlattr *num = nested(proto, CTA_PROTO_NUM);
	const struct nlattr *port = nested(proto, CTA_PROTO_DST_PORT);

	return num && port && nl_attr_len(num) >= 1 &&
	       nl_attr_len(port) >= 2 && nl_attr_u8(num) == s->protocol &&
	       nl_attr_u16(port) == s->port &&
	       (!s->to || is_address(nested(tuple, CTA_TUPLE_IP), s->to));
}

/* An entry is named by its original direction; the kernel wants it back as it gave it. */
static int collect(const struct nlmsghdr *h, void *arg)
{
	struct search *s = arg;
	const struct nlattr *a, *tuple = NULL, *id = NULL;

	nl_attr_for_each(a, h, sizeof(struct nfgenmsg)) {
		if (nl_attr_type(a) == CTA_TUPLE_ORIG)
			tuple = a;
		else if (nl_attr_type(a) == CTA_ID)
			id = a;
	}
	if (!tuple || !matches(s, tuple))
		return 0;
	(void) request(&s->doomed, IPCTNL_MSG_CT_DELETE, s->family, "forget a flow");
	nl_attr_put(s->doomed.cur, CTA_TUPLE_ORIG | NLA_F_NESTED, nl_attr_len(tuple),
		    nl_attr_payload(tuple));
	if (id)
		nl_attr_put(s->doomed.cur, CTA_ID, nl_attr_len(id),
			    nl_attr_payload(id));
	nl_ignore(&s->doomed, ENOENT);
	return 0;
}

static void restart(void *arg)
{
	nl_batch_done(&((struct search *) arg)->doomed);
}

/* The kernel picks the flows of the port; one that does not know filters sends all: right as well. */
static void put_filter(struct nl_batch *b, const struct search *s)
{
	struct nlattr *tuple, *proto, *filter;

	tuple = nl_attr_nest_begin(b->cur, CTA_TUPLE_ORIG);
	proto = nl_attr_nest_begin(b->cur, CTA_TUPLE_PROTO);
	nl_attr_put_u8(b->cur, CTA_PROTO_NUM, s->protocol);
	nl_attr_put_u16(b->cur, CTA_PROTO_DST_PORT, s->port);
	nl_attr_nest_end(b->cur, proto);
	nl_attr_nest_end(b->cur, tuple);
	filter = nl_attr_nest_begin(b->cur, CTA_FILTER);
	nl_attr_put_u32(b->cur, CTA_FILTER_ORIG_FLAGS, FILTER_PROTO_NUM | FILTER_PROTO_DST_PORT);
	nl_attr_put_u32(b->cur, CTA_FILTER_REPLY_FLAGS, 0);
	nl_attr_nest_end(b->cur, filter);
}

int conntrack_forget(struct nl *nl, int family, uint8_t protocol, const struct ip *to,
		     uint16_t port, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct search s = {.family = family, .protocol = protocol, .to = to, .port = htons(port),
			   .doomed = NL_BATCH_INIT};
	struct nl_dump d = {.each = collect, .restart = restart, .arg = &s};
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	(void) request(&b, IPCTNL_MSG_CT_GET, family, "list flows");
	put_filter(&b, &s);
	r = nl_dump(nl, &b, &d, NULL);
	if (r < 0) {
		/* One that refuses the filter is asked for all. */
		(void) request(&b, IPCTNL_MSG_CT_GET, family, "list flows");
		r = nl_dump(nl, &b, &d, &why);
	}
	if (r >= 0)
		r = nl_run(nl, &s.doomed, NULL, NULL, &why);
	nl_batch_done(&s.doomed);
	/* No such subsystem: nothing is tracked, or nobody can say what. */
	if (r == -EINVAL || r == -EOPNOTSUPP || r == -ENOENT || r == -EPROTONOSUPPORT)
		return 0;
	return r < 0 ? err_move(e, &why) : 0;
}
