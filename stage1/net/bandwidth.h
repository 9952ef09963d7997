/*
 * A limit of what a pod receives and sends, as CNI knows it: the capability bandwidth of its
 * networks.
 */
#pragma once

#include "base/json.h"

/*
 * At most so many bytes a second each way, on this network: a plugin of its chain that takes the
 * capability is told, else a bandwidth plugin is put behind the others.  A plugin whose
 * configuration has rates of its own keeps the lower ones: what is in the file goes before what the
 * runtime says, and an isolator that is not applied would go unnoticed.  *caps: as in
 * net_ports_add().
 */
void net_bandwidth_add(cJSON *list, int64_t bytes, cJSON **caps);
