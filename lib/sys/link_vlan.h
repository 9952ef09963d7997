/*
 * VLANs (IEEE 802.1Q) of a bridge and its ports.
 *
 * A kernel built without CONFIG_BRIDGE_VLAN_FILTERING answers all of this with -EOPNOTSUPP.
 */
#pragma once

#include "sys/link.h"

#define LINK_VLAN_MAX 4094

/* One or several VLANs of one port. */
struct link_vlan {
	int port; /* index of the link */
	uint16_t first, last;
	bool pvid;     /* what comes in without a tag belongs to it; a single VLAN only */
	bool untagged; /* what goes out loses its tag */
};

/* Frames are told apart by their VLAN from now on. */
void link_put_vlan_filtering(struct nl_batch *b, int bridge);
void link_put_vlan(struct nl_batch *b, const struct link_vlan *v);
/* That the port is not in it is fine. */
void link_put_vlan_del(struct nl_batch *b, int port, uint16_t id);
/* Of a port; 0: of every port and bridge there is. */
int link_list_vlans(struct nl *nl, int port, struct link_vlan **ret, size_t *ret_n, struct err *e);
