/*
 * A network namespace that outlives its pod: a bind mount in RUN_DIR/netns.
 *
 * CNI_NETNS is the monitor's descriptor, which dies with the monitor.  Our own plugins release
 * everything without it; others do not (the reference bridge and ptp then leave their rules of
 * iptables), so a chain with one of theirs gets a path that stays until its DEL has succeeded.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/*
 * Whether `netns` is a namespace, and a plugin of this configuration list, IPAM included, is none of
 * ours: not beside stage1.
 */
bool net_pin_wanted(const cJSON *list, char *const *path, const char *netns);
/* The name alone, to be recorded before the mount is made; owned by the caller. */
char *net_pin_name(const char *uuid, unsigned index);
/* Whether a recorded CNI_NETNS is such a name. */
bool net_pin_is_ours(const char *netns);
int net_pin_make(const char *pin, const char *netns, struct err *e);
/* Whether the namespace is mounted there: not after a reboot, nor after a death before the mount. */
bool net_pin_is_there(const char *pin);
int net_pin_remove(const char *pin, struct err *e);
