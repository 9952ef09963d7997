/*
 * Masquerading: what an attachment sends beyond its own network leaves under the host's address.
 *
 *	table inet gantry-masq-NETWORK {
 *		set from-10.1.2.0/24 {
 *			type ipv4_addr
 *			elements = { 10.1.2.3 comment "CONTAINERID IFNAME" }
 *		}
 *		chain postrouting {
 *			type nat hook postrouting priority srcnat;
 *			ip saddr @from-10.1.2.0/24 ip daddr != 10.1.2.0/24
 *				ip daddr != 224.0.0.0/4 masquerade
 *		}
 *	}
 *
 * See owned.h for the life of table and elements.
 */
#pragma once

#include "cni-plugins/skel/request.h"
#include "sys/netlink.h"

int masq_add(const struct cni_request *rq, const struct cni_result *res, struct err *e);
/* *late: see owned_del(). */
int masq_del(const struct cni_request *rq, struct nl *late, struct err *e);
int masq_gc(const struct cni_request *rq, struct nl *late, struct err *e);
/* Every address of prevResult is masqueraded. */
int masq_check(const struct cni_request *rq, struct err *e);
/* ipMasqBackend: "nftables", or "iptables", which is done by nftables all the same. */
const char *masq_backend_check(const char *value);
