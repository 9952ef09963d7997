/*
 * --private-users: which of the host's ids those of a pod are. The pod keeps them for its life, in
 * private-users-prepared; no other pod of this data directory has one of them at that time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "contract/id_map.h"

struct pod;

/* How many ids a pod has, as rkt; ranges begin at multiples of it. */
#define USERS_COUNT 65536u
/* Where ranges may begin: the part of the ids that systemd leaves to containers (systemd.io, UIDS-GIDS). */
#define USERS_FIRST 0x80000u
#define USERS_LAST 0x6fff0000u

struct id_range {
	uint32_t first, count;
};
/* What is taken, in no order. */
struct id_ranges {
	struct id_range *v;
	size_t n;
};
void id_ranges_add(struct id_ranges *r, uint32_t first, uint32_t count);
void id_ranges_done(struct id_ranges *r);

/*
 * The first range that is free: beginning with the one that `seed` gives, upwards and round. Always the
 * same for the same seed and the same ranges. false: there is none.
 */
bool users_pick(const char *seed, const struct id_ranges *taken, struct id_map *ret);

/* Whether a pod can have a user namespace on this kernel; the error says why not. */
int users_supported(struct err *e);
/*
 * Pick the ids of a new pod and write them down, under a lock that holds for all pods of the data directory.
 * data: its descriptor.
 */
int users_prepare(const struct pod *p, int data, struct id_map *ret, struct err *e);
/* What is written down; count 0: the pod has no user namespace. */
int users_of_pod(int pod_dir, struct id_map *ret, struct err *e);

/* --- users_taken.c --- */
/*
 * The ids that lines of fields between colons name, as in passwd(5) and subuid(5): `first`, and from there as many as
 * the field `count` says (0: one).  Lines that are none are passed over, as those who read these files do.
 */
void users_read(const char *text, unsigned first, unsigned count, struct id_ranges *ret);
/* All that is taken: by the host (files of /etc), and by the pods of the directory. */
int users_taken(int pods, const char *own_uuid, struct id_ranges *ret, struct err *e);
