/* The daemon's parts: its loop (daemon.c), its socket (listen.c), what is asked (serve.c). */
#pragma once

#include "base/str.h"
#include "cni-plugins/dhcp/daemon.h"

/* A plugin that asks. */
struct guest {
	int fd;
	bool root;
	struct strbuf text;
	int64_t deadline;
	struct lease *lease; /* ADD: whose outcome it waits for */
};

struct dhcp_daemon {
	const struct daemon_options *o;
	int epoll, listener, timer, signals, dir;
	int64_t listen_at; /* when to listen again; LEASE_NEVER: it does, or waits for a guest to go */
	char *own_socket; /* owned; to be removed at the end; NULL: somebody else's */
	struct lease **leases;
	size_t n_leases;
	struct guest **guests;
	size_t n_guests;
};

/* The socket that was handed over, or one of our own, when nobody else holds `dir`. */
int daemon_listen(struct dhcp_daemon *d, struct err *e);
/* The guest's question is complete: answer it, or begin what it asks for. */
void daemon_serve(struct dhcp_daemon *d, struct guest *g);
/* Something became of a lease; it may be freed. */
void daemon_lease_event(struct dhcp_daemon *d, struct lease *l, enum lease_event event,
			struct err *e);
void daemon_drop_lease(struct dhcp_daemon *d, struct lease *l);
void daemon_drop_guest(struct dhcp_daemon *d, struct guest *g);
/* Events of the lease's socket as it is now. */
void daemon_watch_lease(struct dhcp_daemon *d, struct lease *l, int before);
