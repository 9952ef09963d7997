/*
 * Paths of the kernel that an app has no business with: covered by something empty, or made
 * read-only. The covers are init's own (CVE-2025-31133: never the app's /dev/null).  Below /proc
 * and /sys the paths are looked up from the roots of our own procfs and sysfs, without links and
 * without crossing into another mount, so that no volume and no image decides what is covered
 * (CVE-2025-52881).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/path.h"
#include "stage2/stage2.h"
#include "sys/mountapi.h"

#define EMPTY_DIR "/empty"
#define EMPTY_FILE "/nothing"

/* The path as an O_PATH descriptor; -ENOENT: this kernel or this image does not have it. */
static int open_path(const struct stage2 *s, const char *path)
{
	static const char proc[] = "/proc", sys[] = "/sys";

	if (path_is_below(path, proc))
		return path_open_beneath(s->proc, path + sizeof proc, O_PATH, 0,
					 PATH_NO_LINKS | PATH_NO_XDEV);
	if (path_is_below(path, sys))
		return path_open_beneath(s->sys, path + sizeof sys, O_PATH, 0,
					 PATH_NO_LINKS | PATH_NO_XDEV);
	return path_open_beneath(s->root, path, O_PATH, 0, PATH_IN_ROOT);
}

static int mask(const struct stage2 *s, const char *path)
{
	_cleanup_fd_ int target = open_path(s, path), cover = -EBADF;
	struct stat st;

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	if (fstat(target, &st) < 0)
		return -errno;
	cover = mnt_clone(AT_FDCWD, S_ISDIR(st.st_mode) ? EMPTY_DIR : EMPTY_FILE, false);
	return cover < 0 ? cover : mnt_attach(cover, target, 0, false);
}

int step_masks(struct stage2 *s, struct err *e)
{
	for (char **m = s->rec.paths ? s->rec.masks : NULL; m && *m; m++) {
		int r = mask(s, *m);

		if (r < 0)
			return err_sysr(e, r, "mask %s", *m);
	}
	return 0;
}

static int make_read_only(const struct stage2 *s, const char *path)
{
	_cleanup_fd_ int target = open_path(s, path), copy = -EBADF;

	if (target < 0)
		return target == -ENOENT ? 0 : target;
	/* With the masks that lie below it. */
	copy = mnt_clone(target, "", true);
	return copy < 0 ? copy : mnt_attach(copy, target, MNT_ATTR_RDONLY, false);
}

int step_read_only_paths(struct stage2 *s, struct err *e)
{
	for (char **p = s->rec.paths ? s->rec.read_only_paths : NULL; p && *p; p++) {
		int r = make_read_only(s, *p);

		if (r < 0)
			return err_sysr(e, r, "make %s read-only", *p);
	}
	return 0;
}
