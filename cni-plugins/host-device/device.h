/* The link of the host that is to go into the container, and which one the configuration means. */
#pragma once

#include "cni-plugins/skel/request.h"
#include "sys/link.h"

struct host_device_conf {
	char *device, *hwaddr, *kernel_path, *pci; /* owned; NULL or "": not given */
};

/* One of them must be there; runtimeConfig.deviceID goes before all. */
int host_device_conf_decode(const struct cni_request *rq, struct host_device_conf *ret,
			    struct err *e);
void host_device_conf_done(struct host_device_conf *c);
#define _cleanup_host_device_conf_ __attribute__((cleanup(host_device_conf_done)))

/* The device is bound to a driver of user space (DPDK): there is no link. */
bool host_device_is_dpdk(const struct host_device_conf *c);
int host_device_find(struct nl *host, const struct host_device_conf *c, struct link *ret,
		     struct err *e);
