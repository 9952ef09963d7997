/*
 * probe: the static program that the functional tests run inside pods.
 *
 * It says what it sees (environment, capabilities, mounts, descriptors, ...) and tries what it should
 * not be able to do, one `key=value` line for each fact, so that a test compares text.  Commands are
 * chained with a lone ",":
 *
 *	probe id , status CapBnd Seccomp , try mknod unshare-user , exit 3
 *
 * Life cycle: one process, no state kept but signal handlers.  A command returns 0, or a positive exit
 * status that ends the chain.  What fails is printed as the name of the errno, never as its text.
 */
#pragma once

#include <stddef.h>

struct command {
	const char *name;
	int min_args;
	/* argv holds the arguments only; argc counts them */
	int (*run)(int argc, char **argv);
	const char *usage;
};

/* probe.c */
const char *errno_name(int err);
/* print `KEY=ok` or `KEY=ERRNO`; always returns 0 so that a command can end with it */
int report(const char *key, int rc, int err);
long parse_number(const char *text, long low, long high);

/* probe_see.c */
extern const struct command see_commands[];
/* probe_try.c */
extern const struct command try_commands[];
/* probe_load.c */
extern const struct command load_commands[];
/* probe_http.c */
extern const struct command http_commands[];
/* probe_service.c */
extern const struct command service_commands[];
/* probe_net.c */
extern const struct command net_commands[];
