/*
 * Where the metadata service listens: its own sockets, or those that systemd made
 * (sd_listen_fds(3)).
 */
#pragma once

#include <errno.h>

#include "base/err.h"

struct service_sockets {
	int public_fd, registration_fd;
};
#define SERVICE_SOCKETS_INIT                                                                       \
	{                                                                                          \
		-EBADF, -EBADF                                                                     \
	}

void service_sockets_close(struct service_sockets *s);
#define _cleanup_service_sockets_ __attribute__((cleanup(service_sockets_close)))

/* Listening sockets of LISTEN_FDS, by their family; one that is not there stays -EBADF. */
int service_sockets_take(struct service_sockets *ret, struct err *e);
/* TCP on all addresses, IPv6 and IPv4. */
int service_listen_public(unsigned port, struct err *e);
/*
 * The socket by name below run_dir, reachable for root only. One that is left over is replaced: the
 * caller holds the lock that says that nobody listens there.
 */
int service_listen_registration(int run_dir, const char *path, struct err *e);
