/*
 * Who besides root may look into the data directory, and who may put images into it.  As rkt's
 * setup-data-dir.sh has it: where the group "rkt" exists ("gantry", when not called by that name)
 *
 *	DATA 2750   cas, cas/image, cas/tmp, cas/remote, cas/partial, locks 2770   cas/tree 2700
 * pods 2750
 *
 * so that its members can list, fetch and remove, but cannot reach the set-user-ID files of trees.
 * Without the group all below DATA is root's, 0700 (CVE-2021-41091).
 *
 * The group is looked up only when a directory has to be made.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct gantry;

/* The group's number in a text as of /etc/group: 0, -ENOENT. */
int modes_find_group(const char *text, const char *name, gid_t *ret);
/*
 * mkdirat(2) of a directory of gantry's own, with this mode for the group, or 0700 when there is
 * none. 1: made, 0: it was there; -errno.
 */
int modes_mkdir(const struct gantry *g, int dirfd, const char *path, mode_t mode);
/*
 * The same for one whose neighbour shows what it should be like: group and mode are taken from
 * there.
 */
int modes_mkdir_like(int dirfd, const char *path, const char *neighbour);
/* The data directory with its parents, if it is not there; a descriptor (O_PATH). */
int modes_data_dir(const struct gantry *g, struct err *e);
