/*
 * Sockets that the service manager has opened for us and that are the pod's (sd_listen_fds(3)).
 */
#pragma once

#include "base/err.h"

#define LISTEN_FIRST 3
#define LISTEN_MAX 64

/* How many: they are the descriptors LISTEN_FIRST and up, close-on-exec from here on. 0: none for
 * us. */
int listen_sockets(struct err *e);
