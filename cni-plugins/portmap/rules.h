/*
 * The nftables side of port mappings, see skel/owned.h for the life of table and elements:
 *
 *	table inet gantry-portmap-NETWORK {
 *		map any4 { type inet_proto . inet_service : ipv4_addr . inet_service
 *			elements = { tcp . 8080 comment "ID IF" : 10.1.2.3 . 80 } }
 *		map one4 { type ipv4_addr . inet_proto . inet_service : ... }	# hostIP given
 *		map any6, one6
 *		map any4-HASH, ...					# conditionsV4, conditionsV6
 *		set snat-10.1.2.0/24 { type ipv4_addr; }	# snat: the containers
 *		set all4, all6					# masqAll: the containers
 *		chain prerouting { type nat hook prerouting priority dstnat;
 *			fib daddr type local jump hostports }
 *		chain output { type nat hook output priority dstnat;
 *			fib daddr type local jump hostports }
 *		chain hostports {
 *			dnat ip to ip daddr . meta l4proto . th dport map @one4
 *			dnat ip to meta l4proto . th dport map @any4 ...
 *			CONDITIONS dnat ip to meta l4proto . th dport map @any4-HASH ... }
 *		chain postrouting { type nat hook postrouting priority srcnat;
 *			ct status dnat ip saddr 10.1.2.0/24 ip daddr @snat-10.1.2.0/24 masquerade
 *			ct status dnat ip saddr 127.0.0.0/8 ip daddr @snat-10.1.2.0/24 masquerade
 *			ct status dnat ip daddr @all4 masquerade }
 *		chain guard { type filter hook prerouting priority raw;
 *			iifname != "lo" ip daddr 127.0.0.0/8 drop }
 *	}
 *
 * Mappings under the same conditions are in the same map: conditions cost nothing for each container.
 *
 * A client's own address stays, but where the answer would not come back through the host: from a
 * neighbour on the same network (the container itself included), and from 127.0.0.1, for which the
 * link gets route_localnet; the guard keeps strangers on that link from using it (CVE-2020-8558).
 */
#pragma once

#include "cni-plugins/portmap/conf.h"
#include "sys/netlink.h"

/* `res`: where the container is; the mappings of a family it has no address of are none. */
int portmap_rules_add(const struct cni_request *rq, const struct portmap_conf *c,
		      const struct cni_result *res, struct err *e);
int portmap_rules_del(const struct cni_request *rq, struct nl *late, struct err *e);
int portmap_rules_gc(const struct cni_request *rq, struct nl *late, struct err *e);
int portmap_rules_check(const struct cni_request *rq, const struct portmap_conf *c, struct err *e);
