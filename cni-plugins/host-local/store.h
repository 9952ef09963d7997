/*
 * Leases on disk, in the reference plugin's layout, so that either takes over from the other:
 *
 *	DATADIR/NETWORK/10.1.2.3             "CONTAINERID\r\nIFNAME" (very old ones: "CONTAINERID")
 *	DATADIR/NETWORK/last_reserved_ip.0   the address that range set 0 gave out last
 *	DATADIR/NETWORK/lock                 flock(2)ed by every call; its content is ours
 *
 * A lease file appears whole or not at all (O_TMPFILE, then linkat(2)).  An empty one, left by a
 * crash of some other writer, counts as no lease.
 *
 * Content of the lock file: an index (lease_index.h), headed by the boot id under which the
 * leases were made.  Leases survive a reboot on disk, the pods do not (plugins#252, k3s#5885):
 * when the id differs, leases older than the boot are dropped.  A lock file without an id was
 * never ours: leases are kept, since clocks alone do not prove a reboot, and the id is noted for
 * the next time.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "cni-plugins/host-local/lease_index.h"
#include "cni-plugins/skel/attachments.h"
#include "sys/ip.h"

struct store {
	int dir;  /* the network's directory */
	int lock; /* held while the store is open */
	struct lease_index index;
};
#define STORE_INIT {.dir = -EBADF, .lock = -EBADF, .index = LEASE_INDEX_INIT}

/* Open and lock. create false: -ENOENT when the network has no directory. */
int store_open(const char *data_dir, const char *network, bool create, struct store *st,
	       struct err *e);
void store_close(struct store *st);
#define _cleanup_store_ __attribute__((cleanup(store_close)))

/* The addresses that (id, ifname) holds; owned by the caller. */
int store_find(struct store *st, const char *id, const char *ifname, struct ip **ret, size_t *ret_n,
	       struct err *e);
/*
 * The same, by the word of the leases' own files: the index does not notice when somebody writes
 * another owner into one.
 */
int store_find_sure(struct store *st, const char *id, const char *ifname, struct ip **ret,
		    size_t *ret_n, struct err *e);
/* 1: reserved, 0: somebody has it. Notes it as the last one of range set `set`. */
int store_reserve(struct store *st, const struct ip *ip, const char *id, const char *ifname,
		  size_t set, struct err *e);
bool store_is_taken(const struct store *st, const struct ip *ip);
/* The address that the set gave out last; unset when unknown. */
struct ip store_last(const struct store *st, size_t set);
int store_release_ip(struct store *st, const struct ip *ip, struct err *e);
/* All of (id, ifname); none is success. */
int store_release(struct store *st, const char *id, const char *ifname, struct err *e);
/* Release everything that is not of a valid attachment. */
int store_gc(struct store *st, const struct cni_attachments *valid, struct err *e);
