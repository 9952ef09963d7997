/*
 * The container's network namespace: CNI_NETNS, opened and checked, and short visits to it.
 *
 * Visits are for what only works from inside: opening a netlink socket, which then stays there, and
 * files below /proc/sys/net.  The process is single-threaded and always comes back.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cni-plugins/skel/request.h"
#include "sys/netlink.h"

struct netns {
	int fd;	  /* the container's */
	int self; /* ours, to come back */
};
#define NETNS_INIT {.fd = -EBADF, .self = -EBADF}

/*
 * Open CNI_NETNS.  CNI_BAD_NETNS when it is not a network namespace, or is the plugin's own: a
 * process id in /proc/PID/ns/net may have been reused by a process of the host, and what is then
 * configured or taken down is the host (plugins#714).  CNI_NETNS_OVERRIDE=1 allows that, as in
 * libcni.
 */
int netns_open(const struct cni_request *rq, struct netns *ns, struct err *e);
/*
 * For DEL: 1 when it is open and its links are ours to delete; 0 when CNI_NETNS is empty, gone,
 * not a namespace any more, or ending: the caller said so by CNI_ARGS NetnsEnding=1 (with
 * IgnoreUnknown=1 for the others in the chain).  A link's deletion waits 30 to 40 ms in the
 * kernel, which a dying namespace saves.
 */
int netns_open_for_del(const struct cni_request *rq, struct netns *ns, struct err *e);
int netns_enter(const struct netns *ns, struct err *e);
/* Back home. Failing would leave us in the container's namespace: the process ends. */
void netns_leave(const struct netns *ns);
/* A route socket that lives in the container's namespace. */
int netns_socket(const struct netns *ns, struct nl *nl, struct err *e);
/* True when both paths lead to the same namespace. */
bool netns_is_same(const char *a, const char *b);
void netns_close(struct netns *ns);
#define _cleanup_netns_ __attribute__((cleanup(netns_close)))
