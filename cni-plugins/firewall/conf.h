/* The configuration of the firewall plugin. */
#pragma once

#include "cni-plugins/skel/request.h"

enum ingress_policy { INGRESS_OPEN, INGRESS_SAME_BRIDGE, INGRESS_ISOLATED };

struct firewall_conf {
	char *admin_chain; /* owned */
	enum ingress_policy ingress;
};

int firewall_conf_decode(const struct cni_request *rq, struct firewall_conf *ret, struct err *e);
void firewall_conf_done(struct firewall_conf *c);
#define _cleanup_firewall_conf_ __attribute__((cleanup(firewall_conf_done)))
