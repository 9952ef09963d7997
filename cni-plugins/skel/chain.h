/*
 * What the plugins that come later in a chain have in common: they work on what the one before them
 * made, and hand its result on.
 */
#pragma once

#include "cni-plugins/skel/request.h"

/* Copies prevResult; an error that says so when there is none. */
int chain_pass_on(const struct cni_request *rq, struct cni_result *ret, struct err *e);
/* The first address of the family on an interface in the container; NULL: none. */
const struct cni_address *chain_address(const struct cni_result *res, int family);
/*
 * The interface of the host by which packets come from the container: the first on the host's side,
 * a bridge or a veth, or that bridge's gateway in a VLAN, BRIDGE.VLAN; NULL: none.
 */
const struct cni_interface *chain_host_interface(const struct cni_result *res);
/* Interfaces of the container with this name, or the first in a sandbox; NULL: none. */
const struct cni_interface *chain_container_interface(const struct cni_request *rq,
						      const struct cni_result *res);
/* gantry asks that what is missing be put back before it is checked (CNI_ARGS Repair=1). */
bool chain_wants_repair(const struct cni_request *rq);
/* Say so where iptables-legacy drops what the container sends through the host (legacy_filter.h). */
void chain_warn_of_legacy(const struct cni_result *res);
