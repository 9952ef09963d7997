/*
 * A lease that is not what it was: another address, another network's length, other routes.  The
 * link in the container gets what ADD's result would have now; what the old answer had brought and
 * the new one lacks goes.  Names of servers cannot be brought along: resolv.conf is the runtime's.
 */
#pragma once

#include "cni-plugins/dhcp/lease.h"

/* Nothing is done when nothing changed.  What fails is logged: the lease is granted all the same. */
void change_apply(const struct lease *l, const struct dhcp_message *before,
		  const struct dhcp_message *now);
