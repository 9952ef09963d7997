/* The configuration of the bridge plugin. */
#pragma once

#include "cni-plugins/bridge/vlan_set.h"
#include "cni-plugins/skel/mac.h"

struct bridge_conf {
	char *bridge; /* owned */
	bool is_gateway, is_default_gateway, force_address, ip_masq;
	bool hairpin, promisc, dad, no_container_interface, isolated;
	bool mac_spoof_check, preserve_default_vlan;
	int64_t mtu;
	int64_t vlan; /* 0: none */
	struct vlan_set trunk;
	char *masq_backend; /* owned */
	struct cni_mac mac;
};

int bridge_conf_decode(const struct cni_request *rq, struct bridge_conf *ret, struct err *e);
void bridge_conf_done(struct bridge_conf *c);
#define _cleanup_bridge_conf_ __attribute__((cleanup(bridge_conf_done)))
