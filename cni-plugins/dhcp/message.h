/*
 * DHCP messages as bytes (RFC 2131, section 2; options: RFC 2132 and 3396): taken apart and put
 * together, without any I/O.
 *
 * What is taken apart comes from whoever can send on the container's network: every length is
 * checked against the end of its field, nothing is kept by reference, and a message that is wrong
 * in one place is wrong.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one Ethernet frame carries behind the headers of IP and UDP. */
#define DHCP_MESSAGE_MAX 1472
#define DHCP_MAC_LEN 6

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7,
};

enum dhcp_option {
	DHCP_OPT_PAD = 0,
	DHCP_OPT_MASK = 1,
	DHCP_OPT_ROUTER = 3,
	DHCP_OPT_DNS = 6,
	DHCP_OPT_HOST_NAME = 12,
	DHCP_OPT_DOMAIN = 15,
	DHCP_OPT_STATIC_ROUTES = 33,
	DHCP_OPT_ADDRESS = 50,
	DHCP_OPT_LEASE_TIME = 51,
	DHCP_OPT_OVERLOAD = 52,
	DHCP_OPT_TYPE = 53,
	DHCP_OPT_SERVER = 54,
	DHCP_OPT_PARAMETERS = 55,
	DHCP_OPT_MESSAGE = 56,
	DHCP_OPT_MAX_SIZE = 57,
	DHCP_OPT_T1 = 58,
	DHCP_OPT_T2 = 59,
	DHCP_OPT_VENDOR_CLASS = 60,
	DHCP_OPT_CLIENT_ID = 61,
	DHCP_OPT_USER_CLASS = 77,
	DHCP_OPT_CLASSLESS_ROUTES = 121,
	DHCP_OPT_END = 255,
};

/* An answer of a server. */
struct dhcp_message {
	enum dhcp_type type;
	uint32_t xid;
	struct in_addr yiaddr;
	uint8_t mac[DHCP_MAC_LEN];
	/* Options, the parts of those that came in several joined (RFC 3396). */
	uint16_t offset[256], length[256];
	bool present[256];
	uint8_t data[DHCP_MESSAGE_MAX];
};

/* -EBADMSG for anything that is not a well-formed answer for an Ethernet link. */
int dhcp_parse(const void *data, size_t len, struct dhcp_message *ret);
/* The option's bytes, NULL when it is not there. */
const uint8_t *dhcp_get(const struct dhcp_message *m, uint8_t code, size_t *len);
/* Options of four bytes; false when not there or of another length. */
bool dhcp_get_u32(const struct dhcp_message *m, uint8_t code, uint32_t *ret);
bool dhcp_get_addr(const struct dhcp_message *m, uint8_t code, struct in_addr *ret);

/* A question of ours. */
struct dhcp_build {
	uint8_t data[DHCP_MESSAGE_MAX];
	size_t len;
	bool full; /* something did not fit */
};
struct dhcp_head {
	enum dhcp_type type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast;
	struct in_addr ciaddr;
	const uint8_t *mac;
};
void dhcp_begin(struct dhcp_build *b, const struct dhcp_head *h);
/* Longer than 255 bytes: in several parts. */
void dhcp_put(struct dhcp_build *b, uint8_t code, const void *data, size_t len);
void dhcp_put_addr(struct dhcp_build *b, uint8_t code, struct in_addr addr);
/* -E2BIG when not everything did fit. */
int dhcp_end(struct dhcp_build *b);
