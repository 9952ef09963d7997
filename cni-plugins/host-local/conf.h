/* The configuration of host-local: the ipam object, and what the runtime adds to it. */
#pragma once

#include "cni-plugins/host-local/range.h"
#include "cni-plugins/skel/request.h"

#define HOST_LOCAL_DIR "/var/lib/cni/networks"

struct host_local_conf {
	char *data_dir;		/* owned */
	char *resolv_conf;	/* owned; NULL: none */
	struct range_set *sets; /* owned; one address from each */
	size_t n_sets;
	struct ip *wanted; /* owned; addresses that the caller asks for */
	size_t n_wanted;
	struct cni_result routes; /* only its routes */
};

/* Everything, for ADD, CHECK and STATUS. CNI_BAD_CONFIG with the place. */
int host_local_conf_decode(const struct cni_request *rq, struct host_local_conf *ret,
			   struct err *e);
/* The directory only: DEL and GC work whatever else is wrong. */
int host_local_conf_dir(const struct cni_request *rq, struct host_local_conf *ret, struct err *e);
void host_local_conf_done(struct host_local_conf *c);
#define _cleanup_host_local_conf_ __attribute__((cleanup(host_local_conf_done)))
