/*
 * The rules that let a container's packets through a host whose own rules would drop them.
 *
 * In nftables a packet passes only when no chain of the hook drops it: what iptables (iptables-nft,
 * Docker's FORWARD policy DROP among it) or firewalld would drop can only be let through in their own
 * tables.  So the rules go there, in the form in which the owner of the table can list them:
 *
 *	table ip filter (ip6 filter)
 *		FORWARD:     -j CNI-FORWARD                           # first
 *		CNI-FORWARD: -j CNI-ADMIN                             # the operator's own, first
 *			     -d IP -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT
 *			     -s IP -j ACCEPT
 *		FORWARD:     -j CNI-ISOLATION-STAGE-1                 # ingressPolicy, before the other
 *		CNI-ISOLATION-STAGE-1: -i BRIDGE ! -o BRIDGE -j CNI-ISOLATION-STAGE-2
 *				       -i BRIDGE -o BRIDGE -j DROP    # isolated
 *		CNI-ISOLATION-STAGE-2: -o BRIDGE -j DROP
 *	table inet firewalld, where there is one
 *		filter_FORWARD: the two rules of each address, first
 *
 * Each rule carries its owner ("CONTAINERID IFNAME", or the bridge) as its comment, so DEL needs
 * neither prevResult nor the namespace.  The shared chains go with the last container.
 */
#pragma once

#include "cni-plugins/firewall/conf.h"

int firewall_rules_add(const struct cni_request *rq, const struct firewall_conf *c,
		       const struct cni_result *res, struct err *e);
int firewall_rules_del(const struct cni_request *rq, struct err *e);
int firewall_rules_gc(const struct cni_request *rq, struct err *e);
int firewall_rules_check(const struct cni_request *rq, const struct firewall_conf *c,
			 struct err *e);
