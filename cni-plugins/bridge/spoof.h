/*
 * macspoofchk: a container sends under its own link address only.  See skel/owned.h for the life of
 * table and elements:
 *
 *	table bridge gantry-spoof-NETWORK {
 *		set ports { type ifname; elements = { "vethX" comment "CONTAINERID IFNAME" } }
 *		set macs { type ifname . ether_addr; elements = { "vethX" . MAC } }
 *		chain prerouting {
 *			type filter hook prerouting priority dstnat;
 *			iifname @ports iifname . ether saddr != @macs drop
 *		}
 *	}
 */
#pragma once

#include "cni-plugins/skel/request.h"
#include "sys/link.h"

int spoof_add(const struct cni_request *rq, const char *port, const unsigned char mac[LINK_MAC_LEN],
	      struct err *e);
/* *late: see owned_del(). */
int spoof_del(const struct cni_request *rq, struct nl *late, struct err *e);
int spoof_gc(const struct cni_request *rq, struct nl *late, struct err *e);
int spoof_check(const struct cni_request *rq, const char *port,
		const unsigned char mac[LINK_MAC_LEN], struct err *e);
