/*
 * Entries of connection tracking.  What UDP once was sent somewhere is sent there again as long as
 * its entry lives, whatever the rules say now: whoever changes where a port leads removes them.
 */
#pragma once

#include "sys/ip.h"
#include "sys/netlink.h"

struct conntrack_target {
	uint16_t port;
	const struct ip *to; /* NULL: any address */
};
/*
 * Forget every flow of the protocol (IPPROTO_UDP) that was first sent to one of these; the list is
 * sorted by it.  One question however many they are: the kernel walks its whole table for each.  nl:
 * a NETLINK_NETFILTER socket.  A kernel without connection tracking over netlink has nothing to
 * forget: success.
 */
int conntrack_forget(struct nl *nl, int family, uint8_t protocol, struct conntrack_target *list,
		     size_t n, struct err *e);
