/*
 * The container's end of an attachment: what the bridge and ptp plugins have in common when they
 * configure, check and delete a veth pair.
 */
#pragma once

#include "cni-plugins/skel/netns.h"
#include "cni-plugins/skel/request.h"
#include "sys/inet.h"
#include "sys/link.h"

/* A pair as it was created: indexes and addresses of both ends. */
struct endpoint {
	char host_name[IFNAMSIZ];
	unsigned char host_mac[LINK_MAC_LEN], mac[LINK_MAC_LEN];
	int host, link; /* indexes: here, in the container */
	unsigned mtu;
};

/* The container must not have the interface yet: CNI forbids two ADDs for one name. */
int endpoint_is_free(const struct cni_request *rq, struct nl *inside, struct err *e);
/*
 * Create the pair, both ends down, the far one in the container from its birth. ep->mac may be
 * set to the container's address, else it is random; mtu 0: the kernel's choice; master 0: none.
 */
int endpoint_create(const struct cni_request *rq, const struct netns *ns, struct nl *host,
		    unsigned mtu, int master, struct endpoint *ep, struct err *e);
/*
 * What the host's end is for, kept with the link itself (`ip link` shows it as its alias), so
 * that GC can tell whose it is without any file: "cni NETWORK CONTAINERID IFNAME".
 */
void endpoint_alias(const struct cni_request *rq, char alias[LINK_ALIAS_MAX]);
/* Wait, bounded, until the kernel's link watch has seen both ends up and traffic passes. */
int endpoint_wait_up(struct nl *host, const struct endpoint *ep, struct err *e);
/*
 * The kernel's parameters for IPv6 inside: on, neighbours hear of a new address, and no duplicate
 * address detection unless `dad`.
 */
int endpoint_ipv6(const struct cni_request *rq, const struct netns *ns, bool dad, struct err *e);
/*
 * Where duplicate address detection was asked for: wait until it is through; an address that
 * somebody else has is an error.
 */
int endpoint_wait_dad(struct nl *inside, const struct endpoint *ep, struct err *e);
/*
 * The routes of the result, each by its own gateway or the first of its family; a route that
 * exists stays.
 */
void endpoint_put_routes(struct nl_batch *b, const struct cni_result *res, int link);

/* DEL: delete the container's interface, if the namespace outlives the attachment. */
int endpoint_delete(const struct cni_request *rq, struct err *e);
/* GC: delete the host's ends of this network whose attachment is not valid; master 0: any. */
int endpoint_gc(const struct cni_request *rq, struct nl *host, int master, struct err *e);
/* The same for other links of the host that carry an alias. */
int endpoint_gc_kind(const struct cni_request *rq, struct nl *host, const char *kind, int master,
		     struct err *e);

/*
 * CHECK: the interface of prevResult exists inside as a veth with that address, is up, and
 * carries the addresses and routes; its other end is the host's interface of prevResult, and up.
 * Both have the mtu (0: any).  The host's end in *ret.
 */
int endpoint_check(const struct cni_request *rq, const struct netns *ns, struct nl *host,
		   int64_t mtu, struct link *ret_host, struct err *e);
int endpoint_check_mtu(const struct link *l, int64_t want, struct err *e);
/* The same for an interface of any kind without another end; *ret: as it is. */
int endpoint_check_inside(const struct cni_request *rq, const struct netns *ns, const char *kind,
			  struct link *ret, struct err *e);
