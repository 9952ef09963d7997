/* What dnsname is asked for: a domain, and the names of this container. */
#pragma once

#include "cni-plugins/skel/request.h"

struct dnsname_conf {
	char *domain;	/* NULL: names without one */
	bool multi_domain; /* the domains of other networks are known here, and this one's there */
	char **aliases; /* strv; the names, each once */
};
void dnsname_conf_done(struct dnsname_conf *c);
#define _cleanup_dnsname_conf_ __attribute__((cleanup(dnsname_conf_done)))

int dnsname_conf_decode(const struct cni_request *rq, struct dnsname_conf *ret, struct err *e);
