/* The link address that the operator or the runtime wants for the container's interface. */
#pragma once

#include "cni-plugins/skel/request.h"
#include "sys/link.h"

struct cni_mac {
	bool wanted;
	unsigned char mac[LINK_MAC_LEN];
};

/*
 * Later ones win: the configuration's own `mac` (may be NULL), CNI_ARGS MAC, args.cni.mac,
 * runtimeConfig.mac.
 */
int cni_mac_decode(const struct cni_request *rq, const char *own, struct cni_mac *ret,
		   struct err *e);
