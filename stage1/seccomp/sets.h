/*
 * The named sets of system calls: @appc.io/, @docker/, @rkt/, @systemd/.
 */
#pragma once

#include "base/err.h"

/* The calls of "@docker/default-whitelist" and so on as strv (owned by the caller), or NULL when no set is named so. */
char **seccomp_set(const char *name);
/* What a capability opens in the default filter; strv, NULL: nothing. */
char **seccomp_calls_of_cap(const char *cap);
/* Number of a call that is newer than libseccomp 2.5.4, the same on all architectures; -1: not one of them. */
int seccomp_newer_call(const char *name);
