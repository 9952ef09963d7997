/*
 * Host paths that an operator named as the source of a volume.
 */
#pragma once

#include <sys/stat.h>

#include "base/err.h"

/*
 * Open (O_PATH) and stat the absolute path.  Symbolic links are followed only when root (or the
 * caller) owns them: the specification wants links in a source to be an error, because whoever can
 * plant one chooses what the pod gets; links that the operator's own system is made of (/var/run,
 * /etc/resolv.conf) can be planted by nobody else.  Nothing of procfs.
 * Returns the descriptor.
 */
int source_open(const char *path, struct stat *ret_st, struct err *e);
/* The same of procfs as well: for what gantry itself mounts. */
int source_open_own(const char *path, struct stat *ret_st, struct err *e);
