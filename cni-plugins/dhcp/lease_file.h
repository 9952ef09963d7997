/*
 * Leases on disk, so that a daemon that was restarted goes on with them:
 *
 *	STATEDIR/NETWORK/CONTAINERID@IFNAME	0600, replaced as a whole
 *
 * A file holds the question that led to the lease, the server's answer as it came, where the lease
 * lives and its times.  The names alone tell the plugin what there is while no daemon runs.
 */
#pragma once

#include "cni-plugins/dhcp/lease.h"

/* The directory, made when missing; returns its descriptor. */
int lease_dir_open(const char *path, struct err *e);
int lease_file_write(int dir, const struct lease *l, struct err *e);
/* Missing is success. */
int lease_file_remove(int dir, const char *network, const char *id, const char *ifname,
		      struct err *e);

/* Each lease of a network (NULL: of all); a negative return ends it. */
struct lease_name {
	const char *network, *id, *ifname;
};
typedef int (*lease_name_fn)(int dir, const struct lease_name *name, void *arg, struct err *e);
int lease_file_each(int dir, const char *network, lease_name_fn fn, void *arg, struct err *e);
/* The lease with its place found again; an error says why it cannot be gone on with. */
int lease_file_read(int dir, const struct lease_name *name, const struct lease_options *opts,
		    const char *prefix, struct lease **ret, struct err *e);
