/*
 * The server serves a network, not the container whose ADD happened to start it: it leaves that one's
 * control groups, or whoever ends the container's ends the names of all others.
 */
#pragma once

#include <sys/types.h>

/* Into a group of its own in every hierarchy, where one cannot be had into the root; as far as that goes. */
void server_group_enter(pid_t pid);
/* When no server is left. */
void server_group_remove(void);
