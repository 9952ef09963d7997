/*
 * Where a lease lives: a link in a network namespace.  The namespace is held by descriptor, so that
 * no process id or path that was used again leads the client elsewhere; path and link are compared
 * with what they were before anything is done with them.
 *
 * Only the holding keeps an ended container's namespace alive: whoever holds a place asks
 * place_is_there() now and then.
 */
#pragma once

#include <sys/types.h>

#include "cni-plugins/dhcp/message.h"
#include "cni-plugins/skel/netns.h"

struct place {
	int netns;
	dev_t dev;
	ino_t ino;
	int link;
	uint8_t mac[DHCP_MAC_LEN];
};
#define PLACE_INIT {.netns = -EBADF}

/* CNI_NETNS and CNI_IFNAME of the request. The link is brought up when it is down. */
int place_open(const struct cni_request *rq, struct place *p, struct err *e);
/*
 * The same place again, as it was noted: p has everything but the descriptor.  -ENOENT when there
 * is another namespace or link by now.
 */
int place_reopen(const struct cni_request *rq, struct place *p, struct err *e);
/* The path still leads to this namespace, and the link is there. */
bool place_is_there(const struct cni_request *rq, const struct place *p);
/* A socket of NETLINK_ROUTE in there. */
int place_netlink(const struct place *p, struct nl *nl, struct err *e);
int place_down(const struct place *p, const char *ifname, struct err *e);
void place_close(struct place *p);

/* A packet socket that sees what is sent to a DHCP client on the link, and nothing else. */
int place_socket(const struct place *p, struct err *e);
