/*
 * Giving up everything that a worker does not need, before it reads its first foreign byte.
 *
 * Order: limits, own namespaces (mounts, IPC, host name, and the network where none is needed), own
 * root, own user with the capabilities that are left, no_new_privs, Landlock, system call filter.
 * Called before the first thread is started: each of these belongs to a thread.
 *
 * Without root the namespaces and the user stay what they are; the rest applies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* Users of the workers: outside of what adduser, subuid and systemd hand out; nobody(5) is others'. */
#define JAIL_UID_FETCH 1900000001u
#define JAIL_UID_VERIFY 1900000002u
#define JAIL_UID_UNPACK 1900000003u
#define JAIL_UID_METADATA 1900000004u
#define JAIL_UID_PACK 1900000005u

#define JAIL_HOME "/home" /* the private root's only writable directory */

enum jail_filter {
	JAIL_FILTER_DENY,  /* what no worker ever needs is refused (EPERM) */
	JAIL_FILTER_FILES, /* only files, memory and threads; anything else kills the process */
	JAIL_FILTER_REPLACE, /* the same, and files may be removed and renamed */
};

struct jail {
	uid_t uid;
	uint64_t caps; /* kept in the permitted and effective set */
	bool network;
	bool lives_on; /* a service: does not die with who started it */
	/*
	 * The root: a directory (a descriptor), which then is all there is; or, with -EBADF, a small
	 * private one with `shared` of the host in it, read-only, and JAIL_HOME.
	 */
	int root;
	bool read_only; /* the root that is a directory */
	const char *const *shared; /* NULL-ended; what does not exist is left out */
	enum jail_filter filter;
	uint64_t memory, file_size, cpu_seconds, files, processes; /* setrlimit(2); 0: as it is */
};

/* 1: with a root of its own, 0: without (not called as root), -errno. */
int jail_enter(const struct jail *j, struct err *e);
/* That of a worker which reads a little and computes: no network, nothing of the host. 0 or -errno. */
int jail_enter_small(struct err *e);

/* --- parts, each in its own file --- */
int jail_root(const struct jail *j, struct err *e);
int jail_landlock(const struct jail *j, struct err *e);
int jail_seccomp(const struct jail *j, struct err *e);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define JAIL_SANITIZED 1 /* shadow memory and the reports' own system calls must be let through */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define JAIL_SANITIZED 1
#endif
#endif
#ifndef JAIL_SANITIZED
#define JAIL_SANITIZED 0
#endif
