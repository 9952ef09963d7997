/* Policy routing over netlink (ip-rule(8)): which table decides for packets of an address. */
#pragma once

#include "sys/ip.h"
#include "sys/netlink.h"

struct inet_rule {
	struct cidr from; /* unset: any */
	uint32_t table, priority;
};

/* flags: NLM_F_EXCL. The kernel chooses the priority where it is 0. */
void inet_put_rule(struct nl_batch *b, const struct inet_rule *r, uint16_t flags);
void inet_put_rule_del(struct nl_batch *b, const struct inet_rule *r);
/* Of both families; *ret is owned by the caller. */
int inet_list_rules(struct nl *nl, struct inet_rule **ret, size_t *ret_n, struct err *e);
