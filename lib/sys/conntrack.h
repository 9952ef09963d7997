/*
 * Entries of connection tracking.  What UDP once was sent somewhere is sent there again as long as
 * its entry lives, whatever the rules say now: whoever changes where a port leads removes them.
 */
#pragma once

#include "sys/ip.h"
#include "sys/netlink.h"

/*
 * Forget every flow of the protocol (IPPROTO_UDP) that was first sent to this port, and, if `to` is
 * set, to this address.  nl: a NETLINK_NETFILTER socket.  A kernel without connection tracking over
 * netlink has nothing to forget: success.
 */
int conntrack_forget(struct nl *nl, int family, uint8_t protocol, const struct ip *to,
		     uint16_t port, struct err *e);
