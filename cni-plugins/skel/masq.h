/*
 * Masquerading: what an attachment sends beyond its own network leaves under the host's address.
 *
 * One nftables table for each network, made by its first attachment and removed with its last:
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
 * The rules are static, one for each subnet; attaching adds an element to a set, which costs the
 * same with one pod as with a thousand.  Each change is one transaction of netlink messages, no
 * tool is executed.  The element names its owner, so that DEL needs neither the address nor the
 * namespace (plugins#810).
 *
 * A lock (shared to add, exclusive to remove) keeps the last DEL from taking the table away under
 * an ADD.
 */
#pragma once

#include "cni-plugins/skel/request.h"
#include "sys/netlink.h"

#define MASQ_LOCK_DIR "/run/gantry"

int masq_add(const struct cni_request *rq, const struct cni_result *res, struct err *e);
/*
 * Everything of this attachment; nothing is success.  *late becomes the socket that was used: its
 * closing waits for the kernel to have freed what was removed (13 ms), so the caller closes it when
 * all other work, which waits for the same thing, is done.
 */
int masq_del(const struct cni_request *rq, struct nl *late, struct err *e);
/* Everything of the network that is not of a valid attachment. */
int masq_gc(const struct cni_request *rq, struct nl *late, struct err *e);
/* Every address of prevResult is masqueraded. */
int masq_check(const struct cni_request *rq, struct err *e);
/* ipMasqBackend: "nftables", or "iptables", which is done by nftables all the same. */
const char *masq_backend_check(const char *value);
