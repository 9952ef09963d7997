/* The bridge itself: made when missing, given the gateway's addresses, never taken away. */
#pragma once

#include "cni-plugins/bridge/conf.h"
#include "sys/ip.h"

/*
 * Find or create it, and bring it up, with VLAN filtering where VLANs are wanted. Two at once is
 * fine.
 */
int bridge_device_ensure(struct nl *host, const struct bridge_conf *c, struct link *ret,
			 struct err *e);
/*
 * Give it, or the interface that is its gateway in a VLAN, these addresses.  Another IPv4 address,
 * or an IPv6 network that overlaps, is a clash: an error, or replaced where the configuration
 * forces it.
 */
int bridge_device_address(struct nl *host, const struct bridge_conf *c, const struct link *l,
			  const struct cidr *addrs, size_t n, struct err *e);
/*
 * CHECK: it exists, is a bridge, is up, is promiscuous where it should be and only there, and has
 * the address `mac` (NULL: any) or, where nobody gave it one of its own, a port's.
 */
int bridge_device_check(struct nl *host, const struct bridge_conf *c, const char *mac,
			struct link *ret, struct err *e);
