/* The configuration of the portmap plugin. */
#pragma once

#include "cni-plugins/portmap/condition.h"
#include "cni-plugins/skel/request.h"

/* As many as a host has ports; more would be no mistake only with several protocols or addresses. */
#define PORT_MAPPINGS_MAX 65535

struct port_mapping {
	uint16_t host_port, container_port;
	uint8_t protocol; /* IPPROTO_TCP, ... */
	struct ip host_ip; /* unset: any address of both families; all zeros: any of its family */
};

struct portmap_conf {
	bool snat, masq_all; /* all: only with snat */
	struct conditions conditions[2]; /* IPv4, IPv6 */
	struct port_mapping *list; /* owned */
	size_t n;
};

int portmap_conf_decode(const struct cni_request *rq, struct portmap_conf *ret, struct err *e);
void portmap_conf_done(struct portmap_conf *c);
#define _cleanup_portmap_conf_ __attribute__((cleanup(portmap_conf_done)))

/* "tcp", "udp", "sctp"; NULL: not one of them. */
const char *port_protocol_name(uint8_t protocol);
/* The mapping is for this family, and for one address of it (true) or any. */
bool port_mapping_has(const struct port_mapping *m, int family);
bool port_mapping_has_address(const struct port_mapping *m);
