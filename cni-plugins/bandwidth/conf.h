/* The configuration of the bandwidth plugin. */
#pragma once

#include "cni-plugins/skel/request.h"

struct bandwidth_conf {
	int64_t ingress_rate, ingress_burst, egress_rate, egress_burst; /* bits (a second); 0: none */
};

/* The file's own words go before the runtime's. */
int bandwidth_conf_decode(const struct cni_request *rq, struct bandwidth_conf *ret, struct err *e);
bool bandwidth_conf_is_empty(const struct bandwidth_conf *c);
