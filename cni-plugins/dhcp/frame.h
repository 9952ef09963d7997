/*
 * IPv4 and UDP headers around a DHCP message: a client without an address cannot leave them to the
 * kernel. Bytes only, no I/O.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cni-plugins/dhcp/message.h"

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define FRAME_HEADERS 28
#define FRAME_MAX (FRAME_HEADERS + DHCP_MESSAGE_MAX)

struct frame {
	uint8_t data[FRAME_MAX];
	size_t len;
};

/* From a client's port to a server's. len: at most DHCP_MESSAGE_MAX. */
void frame_build(struct frame *f, struct in_addr from, struct in_addr to, const void *data,
		 size_t len);
/*
 * The DHCP message inside a packet for a client, from a server's port; -EBADMSG for anything else.
 * summed: the UDP checksum is there (a packet that never left the host may not have it yet).
 */
int frame_parse(const uint8_t *data, size_t len, bool summed, const uint8_t **ret, size_t *ret_len);
