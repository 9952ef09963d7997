/*
 * The tables of iptables-legacy, which are no part of nftables: a packet must pass both.  Nothing is
 * changed there: their interface replaces a whole table at once, and a lock that every tool honours of
 * its own will is all that keeps two writers from undoing each other.
 */
#pragma once

#include <stdbool.h>

#include "sys/ip.h"

/*
 * Does FORWARD in the table `filter` of this network namespace drop what nobody accepts: by its
 * policy, or by a rule for all packets?  What accepts this source (NULL: what accepts any one network
 * as a source) lets it through.  Where the table was never used the answer costs one small file; a
 * table is never made by asking.
 */
bool legacy_filter_drops(int family, const struct ip *source);
/* One warning that says so, if it drops. */
void legacy_filter_warn(int family, const struct ip *source);
