/*
 * From a file system to the disk that it lies on.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/*
 * The whole disk (not its partition) behind a file system with this st_dev, as sysfs tells; `sys` is
 * where that is mounted.  -ENODEV: there is none, or none that can be told (tmpfs, btrfs, network).
 */
int disk_of_file_system(const char *sys, dev_t fs, dev_t *ret);
