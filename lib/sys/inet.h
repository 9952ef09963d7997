/*
 * Addresses and routes of links over netlink.  As with links, inet_put_*() adds a request to a
 * batch.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/ip.h"
#include "sys/netlink.h"

/*
 * An address that is usable at once: IPv6 without duplicate address detection, which would hold it
 * back for one to two seconds (IFA_F_NODAD), unless `dad` asks for it.
 */
struct inet_addr {
	struct cidr addr;
	int link;
	bool dad;
	bool no_prefix_route; /* no route to the network comes with it (IFA_F_NOPREFIXROUTE) */
};
/* flags: NLM_F_EXCL, NLM_F_REPLACE. */
void inet_put_addr(struct nl_batch *b, const struct inet_addr *a, uint16_t flags);
void inet_put_addr_del(struct nl_batch *b, const struct cidr *addr, int link);
/* The addresses of one link; family AF_UNSPEC: all. *ret is owned by the caller. */
int inet_list_addrs(struct nl *nl, int link, int family, struct cidr **ret, size_t *ret_n,
		    struct err *e);

/*
 * IPv6 addresses of the link that duplicate address detection has not let through (yet): *ret one
 * of them, *ret_failed when one is somebody else's for good.  1: there is one, 0: none.
 */
int inet_find_tentative(struct nl *nl, int link, struct cidr *ret, bool *ret_failed, struct err *e);

struct inet_route {
	struct cidr dst; /* prefix 0 of its family: the default route */
	struct ip gw;	 /* unset: directly on the link */
	struct ip src;
	int link;
	uint32_t table; /* 0: main */
	uint32_t priority, mtu, advmss;
	bool has_scope;
	uint8_t scope;
};
/* flags: NLM_F_EXCL, NLM_F_REPLACE, NLM_F_APPEND. */
void inet_put_route(struct nl_batch *b, const struct inet_route *r, uint16_t flags);
void inet_put_route_del(struct nl_batch *b, const struct inet_route *r);
/*
 * Unicast routes of the table (0: main) that leave by the link (0: any). *ret is owned by the
 * caller.
 */
#define INET_ALL_TABLES UINT32_MAX
int inet_list_routes(struct nl *nl, int link, uint32_t table, struct inet_route **ret,
		     size_t *ret_n, struct err *e);
