/*
 * What every command of gantry is given: where things lie, and what the operator allowed.
 *
 * main() fills it from the global options before a command runs; commands only read it.  The paths
 * are absolute, without symbolic links at the end, and owned by main() for the whole run.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* --insecure-options: what the operator waived, one bit for each word (rkt's words). */
enum insecure {
	INSECURE_IMAGE = 1 << 0,	/* image: signatures are not looked at */
	INSECURE_TLS = 1 << 1,		/* tls: any certificate will do */
	INSECURE_HTTP = 1 << 2,		/* http: plain HTTP for discovery and images */
	INSECURE_PUBKEY = 1 << 3,	/* pubkey: keys over an insecure transport */
	INSECURE_CAPABILITIES = 1 << 4, /* capabilities: no bounding set */
	INSECURE_PATHS = 1 << 5,	/* paths: no masked or read-only kernel paths */
	INSECURE_SECCOMP = 1 << 6,	/* seccomp: no filter */

	INSECURE_ALL_FETCH = INSECURE_IMAGE | INSECURE_TLS | INSECURE_HTTP | INSECURE_PUBKEY,
	INSECURE_ALL_RUN = INSECURE_CAPABILITIES | INSECURE_PATHS | INSECURE_SECCOMP,
	INSECURE_ALL = INSECURE_ALL_FETCH | INSECURE_ALL_RUN,
};

struct gantry {
	const char *program;	    /* "gantry", or "rkt" when called by that name */
	bool rkt; /* called as rkt: its directories, its host names, its prefix of messages */
	char *data_dir;		    /* --dir: pods, images, locks */
	char *system_config;	    /* --system-config: the vendor's keys, networks, settings */
	char *local_config; /* --local-config: the administrator's; wins over the vendor's */
	char *user_config;	    /* --user-config: NULL when not given; wins over both */
	char *libexec; /* where the workers and stage1 lie, found from /proc/self/exe */
	int data_fd;   /* O_PATH of data_dir; -EBADF while that directory does not exist */
	bool help;		    /* --help: only tell about the command */
	bool debug;		    /* --debug: say more, handed on to workers and stage1 */
	unsigned insecure;	    /* --insecure-options: bits of enum insecure */
	bool trust_keys_from_https; /* --trust-keys-from-https: discovered keys need no review */
};
