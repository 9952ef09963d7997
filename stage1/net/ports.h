/*
 * Port forwarding as CNI knows it: the capability portMappings of one network of the pod.
 */
#pragma once

#include "base/json.h"
#include "stage1/net/net.h"

/*
 * Give the mappings to the network that is to carry them: a plugin of its chain that takes them, else a
 * portmap plugin that is put behind the others.  *caps gets the member portMappings; NULL: it is made,
 * and the caller owns it.
 */
int net_ports_add(cJSON *list, const struct net_port *ports, size_t n, cJSON **caps, struct err *e);
/* Whether one of the chain's plugins masquerades: such a network leads to the world. */
bool net_has_masquerade(const cJSON *list);
