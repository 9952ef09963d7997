/*
 * The frame of the plugins whose whole attachment is one link in the container: macvlan, ipvlan,
 * vlan, dummy.
 *
 * ADD makes the link in the container's namespace from its birth, with its final name, so that no
 * temporary name can be left; then it asks IPAM (a DHCP client needs the link), then it configures.
 * DEL needs neither the parent nor the namespace.
 */
#pragma once

#include "cni-plugins/skel/endpoint.h"
#include "cni-plugins/skel/mac.h"
#include "sys/link_child.h"

/* What the configuration comes to. */
struct child {
	struct link_child link; /* without name, parent and netns; link.mac leads to `mac` */
	struct cni_mac mac;
	char *master;	   /* owned; NULL or "": the device of the default route */
	bool no_master;	   /* dummy: sits on nothing */
	bool in_container; /* linkInContainer: the master is there */
	bool needs_ipam;
	bool chained; /* without IPAM the addresses of prevResult will do */
	bool arp_notify;
	int64_t mtu;
};

struct child_plugin {
	const char *name;
	/* Fills *ret, which is zeroed; what is left in it after a failure is freed by the frame. */
	int (*decode)(const struct cni_request *rq, struct child *ret, struct err *e);
};
int child_main(const struct child_plugin *p);

/* What most of them read of the configuration: master, mtu, linkInContainer. */
int child_decode(const struct cni_request *rq, struct child *ret, struct err *e);
/* A word of the configuration for one of these modes; without one, or an empty one, the first. */
int child_decode_mode(const struct cni_request *rq, const struct link_mode *modes,
		      struct child *ret, struct err *e);

/* --- for plugins whose link comes about in another way --- */
/* Addresses and routes of IPAM's answer, and the link up; then what ADD answers. */
int child_configure(const struct cni_request *rq, const struct netns *ns, struct nl *inside,
		    int link, const struct cni_result *res, bool arp_notify, struct err *e);
void child_report(const struct cni_request *rq, const struct link *l, struct cni_result *res);
int child_del(const struct cni_request *rq, struct err *e);
int child_gc(const struct cni_request *rq, struct err *e);
int child_status(const struct cni_request *rq, struct err *e);
