/*
 * dnsmasq, one for each network: it listens on the network's gateway addresses and answers for
 * the names in the file beside its pid file, and for all others by the host's resolv.conf(5).
 */
#pragma once

#include "base/err.h"

/* Below it one directory for each network, open to the user that the server becomes. */
#define SERVER_DIR "/run/gantry-dnsname"
/* In it: dnsmasq's words for whom to ask about which domain, where the server is to ask others (domains.h). */
#define SERVERS_FILE "servers"

/* The program, owned by the caller; CNI_NOT_AVAILABLE when nobody installed it. */
int server_find_program(char **ret, struct err *e);
/*
 * A pidfd of the server of that directory; -ESRCH: there is none.  The pid file alone proves
 * nothing: a process with its number counts only when it was started with that very pid file.
 */
int server_find(const char *dir, struct err *e);
/* Start it; returns when it listens.  `domain` may be NULL.  It reads SERVERS_FILE if that is there. */
int server_start(const char *dir, char *const *addresses, const char *domain, struct err *e);
/* Have it read the names again; -ESRCH: there is none. */
int server_reload(const char *dir, struct err *e);
/* End it, if there is one, and wait for that. */
int server_stop(const char *dir, struct err *e);
