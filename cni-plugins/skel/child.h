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
#include "sys/link_child.h"

struct child {
	struct link_child link; /* without name, parent and netns */
	const char *master;	/* NULL or "": the device of the default route */
	bool no_master;		/* dummy: sits on nothing */
	bool in_container;	/* linkInContainer: the master is there */
	bool needs_ipam;
	bool arp_notify;
};

/*
 * What every child plugin reads of its configuration, into *ret: master, mtu, linkInContainer.
 * `conf` holds the strings and must outlive *ret.
 */
struct child_conf {
	char *master; /* owned */
	int64_t mtu;
	bool in_container;
};
void child_conf_done(struct child_conf *c);
#define _cleanup_child_conf_ __attribute__((cleanup(child_conf_done)))
int child_conf_decode(const struct cni_request *rq, struct child_conf *conf, struct child *ret,
		      struct err *e);

/* IPAM's answer, or that of prevResult where there is no IPAM and `chained` allows it. */
int child_add(const struct cni_request *rq, const struct child *c, bool chained,
	      struct cni_result *ret, struct err *e);
/*
 * For plugins whose link comes about in another way: addresses and routes of IPAM's answer, and the
 * link up; then what ADD answers.
 */
int child_configure(const struct cni_request *rq, const struct netns *ns, struct nl *inside,
		    int link, const struct cni_result *res, bool arp_notify, struct err *e);
void child_report(const struct cni_request *rq, const struct link *l, struct cni_result *res);
int child_del(const struct cni_request *rq, struct err *e);
/* The link is of c's kind and mode, and everything that ADD reported is there. */
int child_check(const struct cni_request *rq, const struct child *c, struct err *e);
int child_gc(const struct cni_request *rq, struct err *e);
int child_status(const struct cni_request *rq, struct err *e);
