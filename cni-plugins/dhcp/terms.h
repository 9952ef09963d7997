/*
 * What a server grants: address, times, and what a result says of them.  The server is not to be
 * trusted with more than its network: what could not be an address, a route or a name is refused or
 * left out.
 */
#pragma once

#include "base/err.h"
#include "cni-plugins/dhcp/message.h"
#include "cni-plugins/skel/result.h"

#define TERMS_FOREVER UINT32_MAX /* RFC 2131, section 3.3 */

struct terms {
	struct in_addr addr, server;
	uint32_t lease, t1, t2; /* seconds from when the question was sent; t1 <= t2 <= lease */
};

/* Of an OFFER or an ACK. */
int terms_decode(const struct dhcp_message *m, struct terms *ret, struct err *e);
struct terms_wish {
	int64_t priority;   /* of the routes; < 0: none */
	bool skip_gateway;  /* no gateway, and no default route */
};
/* What ADD answers. */
int terms_result(const struct dhcp_message *m, const struct terms_wish *w, struct cni_result *ret,
		 struct err *e);
