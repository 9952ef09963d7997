/* The questions that a lease asks, as messages (RFC 2131, table 5). */
#pragma once

#include "cni-plugins/dhcp/lease.h"

/* By the lease's state; -E2BIG when the options do not fit. */
int lease_message(const struct lease *l, enum dhcp_type type, struct dhcp_build *b);
