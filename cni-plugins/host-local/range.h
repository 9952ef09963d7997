/*
 * Ranges of addresses: the arithmetic of host-local, without any I/O.
 *
 * A range is a part of a subnet; a set of ranges of one family is a pool from which an attachment
 * gets one address.  Allocation goes round: it starts after the last address that was given out,
 * so that an address which was just freed rests as long as possible.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "sys/ip.h"

struct range {
	struct cidr subnet;
	struct ip start, end, gw; /* unset: the defaults of range_complete() */
};

struct range_set {
	struct range *list; /* owned */
	size_t n;
};

#define RANGE_TEXT_MAX (2 * IP_TEXT_MAX)

/*
 * Check and fill in: gateway = first address, start = first, end = last (IPv4: the one below
 * broadcast).
 */
int range_complete(struct range *r, struct err *e);
bool range_contains(const struct range *r, const struct ip *ip);
bool range_overlaps(const struct range *a, const struct range *b);
const char *range_text(const struct range *r, char buf[static RANGE_TEXT_MAX]);

/* Completed, one family, no overlaps. */
int range_set_check(const struct range_set *s, struct err *e);
bool range_set_overlaps(const struct range_set *a, const struct range_set *b);
/* The range that holds the address, or NULL. */
const struct range *range_set_find(const struct range_set *s, const struct ip *ip);

/* All addresses of a set but the gateways, each once. */
struct range_walk {
	const struct range_set *set;
	size_t i;
	struct ip next, first;
	bool begun;
};
/* Begin behind `last`, or at the beginning when that is unset or of no range here. */
void range_walk_init(struct range_walk *w, const struct range_set *s, const struct ip *last);
/* The next address and its range; false when all were seen. */
bool range_walk_next(struct range_walk *w, struct ip *ip, const struct range **range);
