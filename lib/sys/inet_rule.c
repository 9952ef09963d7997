#include "sys/inet_rule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/mem.h"

static void put(struct nl_batch *b, uint16_t type, uint16_t flags, const struct inet_rule *r)
{
	char text[CIDR_TEXT_MAX];
	struct fib_rule_hdr *m = nl_add(b, type, flags, sizeof *m, "%s rule from %s to table %u",
					type == RTM_NEWRULE ? "add" : "delete",
					cidr_text(&r->from, text), r->table);

	m->family = (uint8_t) r->from.ip.family;
	m->src_len = (uint8_t) r->from.prefix;
	m->table = RT_TABLE_UNSPEC;
	m->action = FR_ACT_TO_TBL;
	nl_attr_put(b->cur, FRA_SRC, ip_size(&r->from.ip), r->from.ip.b);
	nl_attr_put_u32(b->cur, FRA_TABLE, r->table);
	if (r->priority)
		nl_attr_put_u32(b->cur, FRA_PRIORITY, r->priority);
}

void inet_put_rule(struct nl_batch *b, const struct inet_rule *r, uint16_t flags)
{
	put(b, RTM_NEWRULE, (uint16_t) (NLM_F_CREATE | flags), r);
}

void inet_put_rule_del(struct nl_batch *b, const struct inet_rule *r)
{
	put(b, RTM_DELRULE, 0, r);
}

struct rules {
	struct inet_rule *list;
	size_t n;
};

static int collect(const struct nlmsghdr *h, void *arg)
{
	const struct fib_rule_hdr *m = nl_msg_payload(h);
	struct inet_rule r = {0};
	struct rules *c = arg;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWRULE || nl_msg_payload_len(h) < sizeof *m)
		return 0;
	r.table = m->table;
	nl_attr_for_each(a, h, sizeof *m) {
		size_t len = nl_attr_len(a);

		if (nl_attr_type(a) == FRA_SRC && (len == 4 || len == 16)) {
			r.from.ip.family = len == 4 ? AF_INET : AF_INET6;
			memcpy(r.from.ip.b, nl_attr_payload(a), len);
			r.from.prefix = m->src_len;
		} else if (nl_attr_type(a) == FRA_TABLE && len >= 4) {
			r.table = nl_attr_u32(a);
		} else if (nl_attr_type(a) == FRA_PRIORITY && len >= 4) {
			r.priority = nl_attr_u32(a);
		}
	}
	c->list = xgrow(c->list, c->n, sizeof *c->list);
	c->list[c->n++] = r;
	return 0;
}

int inet_list_rules(struct nl *nl, struct inet_rule **ret, size_t *ret_n, struct err *e)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct rules all = {0};

	for (size_t i = 0; i < ELEMENTSOF(families); i++) {
		_cleanup_nl_batch_ struct nl_batch b = NL_BATCH_INIT;
		/* A list that changed is read again; what is there twice does no harm here. */
		struct nl_dump d = {.each = collect, .arg = &all};
		struct fib_rule_hdr *m = nl_add(&b, RTM_GETRULE, 0, sizeof *m, "list rules");
		int r;

		m->family = (uint8_t) families[i];
		r = nl_dump(nl, &b, &d, e);
		if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP) {
			free(all.list);
			return r;
		}
	}
	*ret = all.list;
	*ret_n = all.n;
	return 0;
}
