/*
 * The pod's networks: a CNI runtime (specification 1.1.0 and the older versions that plugins
 * speak). It knows no plugin by name.
 *
 *	net_plan()  loads and checks the configuration, changes nothing
 *	net_up()    ADDs the networks in order: eth0, eth1, ...
 *	net_down()  DELs what the pod directory says was ever begun, in reverse order
 *
 * Before the first plugin of a network runs, a file in net/results says so (cached.h); so that
 * whatever dies when, a later net_down() finds what to take back. DEL of what is not there is harmless.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Ports of the host that lead into the pod: `count` ones from both numbers on. */
struct net_port {
	char *protocol, *host_ip; /* host_ip NULL: every address of the host */
	unsigned host_port, port, count;
};

struct net_request {
	const char *uuid;	  /* CNI_CONTAINERID */
	int pod_fd;		  /* the pod directory */
	char *const *nets;	  /* strv: "default", "NAME:K=V;K2=V2", "all", "none"; not "host" */
	const char *local_config; /* networks are in LOCAL_CONFIG/net.d */
	char *const *net_dirs;	  /* and then in these directories; strv or NULL */
	const char
		*netns_path; /* CNI_NETNS: /proc/PID/fd/N of the process that becomes the monitor */
	int netns_fd;
	const struct net_port *ports;
	size_t n_ports;
	char *const *aliases; /* names that the pod is to be found by; strv or NULL */
	int64_t bandwidth; /* bytes a second each way, on each network; 0: not limited */
};

struct net_plan;

/* "" when there is no network to set up (none). */
int net_plan(const struct net_request *req, struct net_plan **ret, struct err *e);
void net_plan_free(struct net_plan *p);
/*
 * For --dry-run: one line for each network, owned by the caller ("eth0: default (ptp, built in)");
 * strv.
 */
char **net_plan_lines(const struct net_plan *p);

struct net_result {
	char **nameservers, **search,
		**options; /* strv; of the first network that has name servers */
	char *domain;
	char *dns_network; /* which one that was, or NULL */
	char **addresses;  /* strv of "172.16.28.2/24" of all networks */
	char **gateways;   /* strv, without prefix length, in the order of the networks */
};
void net_result_done(struct net_result *r);

/*
 * ADD all; netns_path and netns_fd of the request must be set by now (net_plan_netns()).  When one
 * fails, its chain has been DELed again; the others are left to net_down().
 */
int net_up(struct net_plan *p, struct net_result *ret, struct err *e);
/* Tell the plan the namespace, which may come into being after planning. `path` is copied. */
void net_plan_netns(struct net_plan *p, const char *path, int fd);

/*
 * Take back every attachment of the pod; netns_path "" when the namespace is gone.  All are tried;
 * the first error is returned, and what could not be taken back stays recorded.
 */
int net_down(int pod_fd, const char *uuid, const char *netns_path, struct err *e);
