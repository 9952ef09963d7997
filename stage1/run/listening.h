/*
 * Sockets of the service manager (sd_listen_fds(3)) on their way to the apps: stage0 has taken
 * them, and announces them as "listen0" and up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LISTENING_MAX 64

struct listening {
	int fd;
	bool udp;
	unsigned port; /* 0: not of the internet, or not bound */
};

struct listening_list {
	struct listening v[LISTENING_MAX];
	size_t n;
};

int listening_take(struct listening_list *ret, struct err *e);
