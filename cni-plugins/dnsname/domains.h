/*
 * The domains of the networks that say multiDomain: their servers ask each other, so that a container finds
 * those of all of them by their names with the domain, whichever server it asks.
 *
 *	SERVER_DIR/NETWORK/domain	lines of dnsmasq that lead to this network's server; empty without a domain
 *	SERVER_DIR/NETWORK/servers	those of all others, which its server reads
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* The network whose directory it is takes part, or (addresses NULL) no longer does; all others are told. */
int domains_put(int dir, const char *domain, char *const *addresses, struct err *e);
/* Whether it takes part. */
bool domains_have(int dir);
/* The same for all that are there, after one has gone. */
int domains_spread(struct err *e);
