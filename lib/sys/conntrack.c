#include "sys/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The kernel's net/netfilter/nf_internals.h since 5.8; not in the headers of user space. */
#define FILTER_PROTO_NUM (1u << 3)
#define FILTER_PROTO_DST_PORT (1u << 5)

struct search {
	int family;
	uint8_t protocol;
	const struct conntrack_target *list; /* by port */
	size_t n;
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

static int cmp_port(const void *a, const void *b)
{
	const struct conntrack_target *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

/* The first of the list with at least this port; n: none. */
static size_t first_of(const struct search *s, uint16_t port)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->list[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool matches(const struct search *s, const struct nlattr *tuple)
{
	const struct nlattr *proto = nested(tuple, CTA_TUPLE_PROTO);
	const struct nlattr *num = nested(proto, CTA_PROTO_NUM);
	const struct nlattr *attr = nested(proto, CTA_PROTO_DST_PORT);
	uint16_t port;

	if (!num || !attr || nl_attr_len(num) < 1 || nl_attr_len(attr) < 2 ||
	    nl_attr_u8(num) != s->protocol)
		return false;
	port = ntohs(nl_attr_u16(attr));
	for (size_t i = first_of(s, port); i < s->n && s->list[i].port == port; i++)
		if (!s->list[i].to || is_address(nested(tuple, CTA_TUPLE_IP), s->list[i].to))
			return true;
	return false;
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

/*
 * The kernel picks the flows of the protocol, and of a single port; one that does not know filters
 * sends all: right as well.
 */
static void put_filter(struct nl_batch *b, const struct search *s)
{
	struct nlattr *tuple, *proto, *filter;
	uint32_t by = FILTER_PROTO_NUM | (s->n == 1 ? FILTER_PROTO_DST_PORT : 0);

	tuple = nl_attr_nest_begin(b->cur, CTA_TUPLE_ORIG);
	proto = nl_attr_nest_begin(b->cur, CTA_TUPLE_PROTO);
	nl_attr_put_u8(b->cur, CTA_PROTO_NUM, s->protocol);
	if (s->n == 1)
		nl_attr_put_u16(b->cur, CTA_PROTO_DST_PORT, htons(s->list->port));
	nl_attr_nest_end(b->cur, proto);
	nl_attr_nest_end(b->cur, tuple);
	filter = nl_attr_nest_begin(b->cur, CTA_FILTER);
	nl_attr_put_u32(b->cur, CTA_FILTER_ORIG_FLAGS, by);
	nl_attr_put_u32(b->cur, CTA_FILTER_REPLY_FLAGS, 0);
	nl_attr_nest_end(b->cur, filter);
}

int conntrack_forget(struct nl *nl, int family, uint8_t protocol, struct conntrack_target *list,
		     size_t n, struct err *e)
{
	_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
	struct search s = {.family = family, .protocol = protocol, .list = list, .n = n,
			   .doomed = NL_BATCH_INIT};
	struct nl_dump d = {.each = collect, .restart = restart, .arg = &s};
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	if (!n)
		return 0;
	qsort(list, n, sizeof *list, cmp_port);
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
