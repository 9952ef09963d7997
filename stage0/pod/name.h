/*
 * Names of pods: what commands take instead of a UUID.
 *
 * pods/names/NAME is a symbolic link whose text is the UUID; symlink(2) makes it or fails, so that
 * no two pods have one name, and looking one up reads one link.  The pod's own file `name` says the
 * same from the other side, for listings and for whoever removes the pod.  A link whose pod is
 * gone, or was never finished, stands in nobody's way: it is replaced under the lock of pods/names.
 *
 * A name is an AC Name of at most 63 characters that no UUID begins with, so that a word on the
 * command line is always one or the other.
 */
#pragma once

#include "stage0/pod/pod.h"

/* Whether a UUID may begin like this; lower case. */
bool pod_name_is_uuid_start(const char *word);
/* What is wrong with a name, or NULL. */
const char *pod_name_check(const char *name);
/* Whether it can be had at this moment: -EEXIST, naming who has it. */
int pod_name_is_free(int pods, const char *name, struct err *e);
/* Give it to a pod that is being made: -EEXIST likewise. */
int pod_name_claim(const struct pod *p, const char *name, struct err *e);
/* The UUID that has the name; it may be gone. -ENOENT. */
int pod_name_look_up(int pods, const char *name, char ret_uuid[UUID_LEN + 1]);
/* The pod's name, NULL: none. Owned by the caller. */
char *pod_name_of(const struct pod *p);
/* The pod goes: nobody has its name any more. */
void pod_name_release(const struct pod *p);
/* Links that lead nowhere. */
void pod_names_sweep(int pods);
