/*
 * VLANs of the bridge: `vlan` makes the container's port one without tags, `vlanTrunk` one that
 * passes tagged frames of some VLANs; of the default VLAN it is a member with preserveDefaultVlan
 * only.
 *
 * The gateway of a container with `vlan` has its place in that VLAN: a veth pair of the host,
 * BRIDGE.VLAN with the addresses and its other end as one more port.  It is shared by all networks
 * in that VLAN, made by the first ADD that needs it and taken away when the last port leaves: by
 * the DEL that deletes it, or by GC.  What such an interface is for stands in its alias; one that
 * somebody else made is used, and left alone.
 */
#pragma once

#include "cni-plugins/bridge/conf.h"
#include "cni-plugins/skel/request.h"

/* Does the configuration say anything about VLANs? */
bool vlan_wanted(const struct bridge_conf *c);
/* The error of a kernel whose bridges know none. */
int vlan_unsupported(const struct bridge_conf *c, struct err *e);
/* The port's VLANs, before it comes up. */
int vlan_join(struct nl *host, const struct bridge_conf *c, int port, struct err *e);
/* CHECK: the bridge filters and the port has its VLANs. */
int vlan_check(struct nl *host, const struct bridge_conf *c, const struct link *bridge,
	       const struct link *port, struct err *e);
/* Make it so where it is not; what is right stays untouched, and the bridge filters afterwards. */
int vlan_repair(struct nl *host, const struct bridge_conf *c, struct link *bridge,
		const struct link *port, struct err *e);

/* Find or make BRIDGE.VLAN, up. The container's port must have joined: it is what keeps it. */
int vlan_gateway_ensure(struct nl *host, const struct bridge_conf *c, const struct link *bridge,
			struct link *ret, struct err *e);
/* The VLAN of its port, if the interface is one that ensure() made. */
int vlan_gateway_repair(struct nl *host, const struct bridge_conf *c, const struct link *gateway,
			struct err *e);
/* CHECK: it is there and up, and in its VLAN. */
int vlan_gateway_check(struct nl *host, const struct bridge_conf *c, struct link *ret,
		       struct err *e);
/*
 * DEL, GC: take it away if no port is in its VLAN any more, but for the one of this very
 * attachment, which may end with its namespace a little later.
 */
int vlan_gateway_drop(const struct cni_request *rq, struct nl *host, const struct bridge_conf *c,
		      struct err *e);
