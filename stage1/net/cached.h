/*
 * What a pod directory records of an attachment: a file in the format of libcni's cached results, by
 * libcni's name for it, so that POD/net is a cache directory that libcni can read.
 *
 *	net/results/NETWORK-UUID-IFNAME
 *
 * The members are libcni's: kind, containerId, config (the configuration list that was used, base64),
 * ifName, networkName, netns, cniArgs (pairs), capabilityArgs, and result once all plugins have added.
 * What a later DEL needs beyond them is in "gantry", which libcni passes over: cniPath (where plugins
 * were looked for) and cniVersion (the one that was chosen).
 *
 * Written before the first plugin runs, and again with the result; each time as a whole.
 */
#pragma once

#include "stage1/net/attachment.h"

/* The file's text, owned by the caller; and back. */
char *cached_encode(const struct attachment *a, const char *uuid);
int cached_decode(const char *text, size_t len, struct attachment *ret, struct err *e);

/* As POD/net/results/cached_name(), whose directories are made. */
int cached_write(const struct attachment *a, int pod_fd, const char *uuid, struct err *e);
/* -ENOENT: there is nothing in it, which is what a power cut makes of a file that was not synced. */
int cached_read(const char *file, int pod_fd, struct attachment *ret, struct err *e);
/* After a DEL that succeeded, or when no plugin ever ran. */
void cached_forget(const char *file, int pod_fd);
/* The name of an attachment's file; owned by the caller. */
char *cached_name(const struct attachment *a, const char *uuid);
/* Names of all files, those of the highest interface first; *ret is owned by the caller. */
int cached_list(int pod_fd, char ***ret, struct err *e);
