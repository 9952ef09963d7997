/*
 * The app's root: made by stage1/run as a detached mount, attached here, filled with our own proc
 * and sys, and pivoted to.  Until then it hangs at ROOT_PLACE of init's small root; everything in
 * it is reached by descriptors from its own root, never by a path from "/".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "stage2/stage2.h"
#include "sys/mountapi.h"

/*
 * Many programs look into /etc/mtab for what is mounted.  Where the image has none: best effort, it
 * is nothing that isolates.
 */
static void link_mtab(int root)
{
	_cleanup_fd_ int etc = path_open_beneath(root, "etc", O_PATH | O_DIRECTORY, 0,
						 PATH_NO_LINKS | PATH_NO_XDEV);

	if (etc >= 0)
		(void) symlinkat("../proc/self/mounts", etc, "mtab");
}

int step_root(struct stage2 *s, struct err *e)
{
	_cleanup_fd_ int place = open(ROOT_PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (s->root < 0)
		return err_set(e, EBADF, "no descriptor %s", "root");
	if (place < 0)
		return err_sys(e, "open %s", ROOT_PLACE);
	/* Device nodes of an image must not be ways to the host's devices. */
	r = mnt_attach(s->root, place, MNT_ATTR_NODEV | MNT_ATTR_PRIVATE, false);
	if (r < 0)
		return err_sysr(e, r, "attach root");
	link_mtab(s->root);
	return 0;
}

int root_own_dir(struct stage2 *s, const char *name, struct err *e)
{
	static const unsigned how = PATH_NO_LINKS | PATH_NO_XDEV;
	int fd = path_open_beneath(s->root, name, O_PATH | O_DIRECTORY, 0, how);

	if (fd == -ENOENT)
		fd = path_mkdirs_beneath(s->root, name, 0755, how);
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_set(e, -fd, "/%s of the image is not a directory", name);
	if (fd < 0)
		return err_sysr(e, fd, "open /%s", name);
	return fd;
}

/* Mount a kernel file system of our own on a checked directory; returns its root. */
static int mount_own(struct stage2 *s, const char *type, const char *name, unsigned attrs,
		     struct err *e)
{
	_cleanup_fd_ int dir = root_own_dir(s, name, e), mnt = -EBADF;
	int r;

	if (dir < 0)
		return dir;
	mnt = mnt_new(type, NULL, attrs | MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC, e);
	if (mnt < 0)
		return mnt;
	r = mnt_attach(mnt, dir, 0, false);
	return r < 0 ? err_sysr(e, r, "attach /%s", name) : take_fd(mnt);
}

int step_proc(struct stage2 *s, struct err *e)
{
	s->proc = mount_own(s, "proc", "proc", 0, e);
	return s->proc < 0 ? s->proc : 0;
}

/* In a user namespace a new one can be had no more (init/sandbox.c): a clone of init's. */
static int clone_sys(struct stage2 *s, unsigned attrs, struct err *e)
{
	_cleanup_fd_ int dir = root_own_dir(s, "sys", e), mnt = -EBADF;
	int r;

	if (dir < 0)
		return dir;
	mnt = mnt_clone(AT_FDCWD, "/sys", false);
	r = mnt < 0 ? mnt : mnt_attach(mnt, dir, attrs, false);
	return r < 0 ? err_sysr(e, r, "attach /sys") : take_fd(mnt);
}

int step_sys(struct stage2 *s, struct err *e)
{
	unsigned attrs = s->rec.paths ? MNT_ATTR_RDONLY : 0;

	s->sys = s->rec.private_users ? clone_sys(s, attrs, e) : mount_own(s, "sysfs", "sys", attrs, e);
	return s->sys < 0 ? s->sys : 0;
}

int step_read_only_root(struct stage2 *s, struct err *e)
{
	int r = s->rec.read_only_root ? mnt_set_attrs(s->root, MNT_ATTR_RDONLY, false) : 0;

	return r < 0 ? err_sysr(e, r, "make root read-only") : 0;
}

int step_pivot(struct stage2 *s, struct err *e)
{
	char cwd[16];
	int r = mnt_pivot(s->root);

	if (r < 0)
		return err_sysr(e, r, "pivot root");
	s->root = fd_close(s->root);
	s->proc = fd_close(s->proc);
	s->sys = fd_close(s->sys);
	/* The kernel writes "(unreachable)" for a directory outside the root (getcwd(2)). */
	if (!getcwd(cwd, sizeof cwd) || strcmp(cwd, "/"))
		return err_set(e, EXDEV, "working directory is outside the root");
	return 0;
}
