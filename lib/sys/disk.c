#include "sys/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

/* "254:1" in the file `dev` of a device's directory. */
static int read_number(const char *dir, const char *file, dev_t *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file), *text = NULL;
	unsigned major, minor;
	int r = file_read_line_at(AT_FDCWD, path, &text, NULL);

	if (r < 0 || sscanf(text, "%u:%u", &major, &minor) != 2)
		return -ENODEV;
	*ret = makedev(major, minor);
	return 0;
}

int disk_of_file_system(const char *sys, dev_t fs, dev_t *ret)
{
	_cleanup_free_ char *dir = xasprintf("%s/dev/block/%u:%u", sys, major(fs), minor(fs));
	_cleanup_free_ char *partition = xasprintf("%s/partition", dir);

	if (access(dir, F_OK) < 0)
		return -ENODEV;
	/* The disk's directory is the one above its partition's. */
	return read_number(dir, access(partition, F_OK) == 0 ? "../dev" : "dev", ret);
}
