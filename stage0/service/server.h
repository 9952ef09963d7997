/*
 * HTTP on two listening sockets, by libmicrohttpd, in one thread: the public side, which strangers
 * reach, and the registration side, on which only root is heard.
 *
 * A stranger can hold a connection for a bounded time, send a bounded number of bytes, and have a
 * bounded number of connections; the registration side has its own, so that nobody is in its way.
 */
#pragma once

#include "stage0/service/registry.h"

struct server {
	struct registry *registry;
	int public_fd, registration_fd; /* listening; taken over */
	unsigned port;
};

/* Until SIGTERM or SIGINT: 0. */
int server_run(struct server *s, struct err *e);
