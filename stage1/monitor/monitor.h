/*
 * The monitor: the host side of a running pod, in the process in which `gantry run` was typed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/fd.h"

struct monitor {
	int init;	 /* pidfd of the pod's PID 1 */
	int status;	 /* lines of init, see notes.c there */
	int relay[2];	 /* what the apps print, to 1 and 2; -EBADF: detached or at its end */
	bool room[2];	 /* 1 or 2 has room for a piece */
	int netns;	 /* kept open: CNI_NETNS is /proc/PID/fd/N of it */
	int dir;	 /* the pod directory */
	int error;	 /* where the reason of a failed start goes; -EBADF: standard error */
	int signals;
	int asked;	 /* how often we were asked to end the pod */
	int exit_status; /* as init said, -1: it has not */
	char line[1200]; /* of the status pipe, as far as it is there */
	size_t line_len;
	char *const *args; /* ours, which are those of the gc entry point: [options] UUID */
};

/* relay.c: at most one piece; -1 or the end of the stream closes it. */
void relay_copy(struct monitor *m, int which);

/* status.c: read what is there; false: the stream has ended. */
bool status_read(struct monitor *m);

/* teardown.c: what the pod leaves on the host, once its last process is gone. */
void teardown(struct monitor *m);
