/*
 * The daemon: one process, one loop.  It answers the plugin (call.h) and keeps the leases (lease.h,
 * lease_file.h).  Nothing in it waits but epoll_wait(2), and that only for what really happens: a
 * packet for a lease that asked, a connection, a signal, the next time that something is due.
 */
#pragma once

#include "cni-plugins/dhcp/lease.h"

struct daemon_options {
	struct lease_options lease;
	char *pidfile, *prefix, *socket; /* owned; "" where not given */
};

/* Until SIGTERM or SIGINT. The leases stay as they are: the next daemon goes on with them. */
int daemon_run(const struct daemon_options *o, struct err *e);
