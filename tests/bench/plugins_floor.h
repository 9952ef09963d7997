/* The floor under the plugins that make links; see plugins_floor.c. */
#pragma once

#include <stdbool.h>

/*
 * In the host's namespace: the link of container `number` in the namespace `netns`, or its removal.  Returns 0 or
 * an errno value; the process is in the container's namespace then, and has sockets open.
 */
int plugins_floor(const char *type, bool add, int netns, int number);
