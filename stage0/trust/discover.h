/*
 * Keys for image names that have none yet, by discovery.
 */
#pragma once

struct gantry;

/*
 * With --trust-keys-from-https: look for keys for this name and trust those that come over TLS all
 * the way, without asking anybody.  Only a name for which no key is trusted: who is in the place of
 * the host later cannot add his own.  That it did not work is told, and not the caller's concern:
 * the signature's check will fail then.
 */
void trust_discover(const struct gantry *g, const char *name);
