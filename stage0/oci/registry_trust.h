/*
 * Whom a registry is believed to be, and who we are to it in TLS: certificates that lie where docker and
 * podman have them, /etc/{docker,containers}/certs.d/HOST[:PORT]/{*.crt,*.cert,*.key}.  They are read here
 * and handed on by descriptor: the worker that speaks TLS sees no such file.
 */
#pragma once

#include "base/err.h"

struct registry_trust {
	char *more_ca;			/* PEM, or NULL */
	char *client_cert, *client_key; /* PEM, both or none */
};
void registry_trust_done(struct registry_trust *t);
#define _cleanup_registry_trust_ __attribute__((cleanup(registry_trust_done)))

/* `site`: "host" or "host:port"; `ca`: a file that is configured besides, or NULL. */
int registry_trust_find(const char *site, const char *ca, struct registry_trust *ret, struct err *e);
