/*
 * The processes of a pod as the host sees them: found by number, and only trusted when the kernel says
 * that they are the pod's.  Numbers are used again; a descriptor of a process is not.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "sys/cgroup.h"

/* UUID of the pod whose directory is the working directory. Owned by the caller, NULL with an error. */
char *pod_uuid(struct err *e);

/*
 * A pidfd of the process, POD_INIT_LEAF or an app of the pod, and known to be that (group.c; the flavour fly has
 * its own).  -ESRCH: there is no such process, or it is another one by now.
 */
int pod_process_open(pid_t pid, const char *uuid, const char *leaf, struct err *e);
/* "/proc/PID/ns/NAME", of a process that the pidfd shows to be the same still. */
int pod_process_namespace(int pidfd, pid_t pid, const char *name, struct err *e);
/* The number in a file of the pod directory; -ENOENT without a message when there is none. */
int pod_read_pid(const char *path, pid_t *ret, struct err *e);
/* The app's control group, to be joined (group.c); empty where its flavour has none. */
int pod_open_group(const char *uuid, const char *app, struct cg_leaf *ret, struct err *e);
