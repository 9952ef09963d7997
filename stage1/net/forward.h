/*
 * Hosts that drop what they forward (Docker sets the policy of iptables' FORWARD to DROP): the
 * built-in networks have the plugin firewall behind their own there.
 */
#pragma once

#include "base/json.h"

/*
 * Put firewall behind the plugins of the list if this host filters what it forwards.  Whether it
 * drops anything now does not matter: the policy may come after the pod.
 */
void net_forward_add(cJSON *list);
