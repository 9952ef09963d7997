/*
 * Kernel parameters below /proc/sys/net, of the namespace that the process is in.
 *
 * The kernel remembers one name "ipv6" below /proc/sys/net for each network namespace in which anybody asked for
 * it, all in one list.  On a host with a thousand pods it takes 0.4 ms to get by them into a new one, and 0.1 ms
 * into the host's own.  So inside a container parameters are reached by a procfs that this process mounts for
 * itself, nowhere: 0.05 ms, whatever there is, and no name is left behind for the next one to step over.
 */
#pragma once

#include "base/err.h"

/*
 * Set conf/KEY of a link: family "ipv4" or "ipv6", e.g. ("ipv6", "eth0", "accept_ra", "0").  A
 * kernel without that family or key has nothing to set: success.  A read-only /proc/sys is fine as
 * long as the value is there already.
 */
int sysctl_link(const char *family, const char *link, const char *key, const char *value,
		struct err *e);
/* The same while the process is inside a container's namespace. */
int sysctl_link_inside(const char *family, const char *link, const char *key, const char *value,
		       struct err *e);
/* A descriptor in place of /proc, for a container's namespace; it stays open. */
int sysctl_proc_inside(void);
/*
 * The host's end of an attachment, before it comes up: no routes from a container's advertisements
 * (CVE-2020-10749), and a link-local address that is usable at once: without one the host
 * cannot ask for a neighbour's address when it forwards, which would cost the first second.
 */
int sysctl_host_link(const char *link, struct err *e);
/*
 * The same for a port of a bridge, which takes all its packets: it has no IPv6 of its own.  With it
 * each port had three routes on the host, all of which the kernel walks over whenever a link comes, changes or
 * goes: half of what that takes on a host with a thousand ports.
 */
int sysctl_port(const char *link, struct err *e);
/* Let packets pass between links, for AF_INET or AF_INET6. */
int sysctl_forward(int family, struct err *e);
