/* The ipam object of a network that asks a DHCP server, and where its daemon is found. */
#pragma once

#include "cni-plugins/skel/request.h"

#define DHCP_SOCKET "/run/cni/dhcp.sock"

/* An option that the client sends. */
struct dhcp_given {
	uint8_t code;
	char *value; /* owned */
};

struct dhcp_conf {
	char *socket;	/* owned */
	uint8_t *wanted; /* owned; options asked for, in order */
	size_t n_wanted;
	struct dhcp_given *given; /* owned */
	size_t n_given;
	int64_t priority;  /* of the routes; 0: none */
	bool skip_gateway; /* suppress: ["gateway"] */
};

/* Everything. CNI_BAD_CONFIG with the place. */
int dhcp_conf_decode(const struct cni_request *rq, struct dhcp_conf *ret, struct err *e);
/* The socket only: DEL works whatever else is wrong. */
int dhcp_conf_socket(const struct cni_request *rq, struct dhcp_conf *ret, struct err *e);
void dhcp_conf_done(struct dhcp_conf *c);
#define _cleanup_dhcp_conf_ __attribute__((cleanup(dhcp_conf_done)))
/* The directory of the leases, beside the socket: /run/cni/dhcp. Owned by the caller. */
char *dhcp_state_dir(const char *socket);
