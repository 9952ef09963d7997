#include "stage0/pod/overlay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "stage0/context.h"

/*
 * Without types in directory entries overlayfs cannot tell its whiteouts (mkfs.xfs(8), ftype; the
 * kernel only warns).
 */
static bool lacks_d_type(int dir)
{
	_cleanup_dir_ DIR *d = NULL;
	const struct dirent *de;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return false;
	}
	de = readdir(d);
	return de && de->d_type == DT_UNKNOWN;
}

/*
 * Why the pod directory cannot hold an upper layer, or NULL (fs/overlayfs/super.c asks the same of
 * it).
 */
static const char *no_overlay_here(int pod_dir)
{
	static const struct {
		long type;
		const char *why;
	} systems[] = {
		{OVERLAYFS_SUPER_MAGIC, "an overlay file system"},
		{0x61756673, "aufs"},
		{0x2fc12fc1, "zfs"},
		{ECRYPTFS_SUPER_MAGIC, "ecryptfs"},
		{NFS_SUPER_MAGIC, "nfs"},
		{FUSE_SUPER_MAGIC, "fuse"},
		{CIFS_SUPER_MAGIC, "smb"},
		{SMB2_SUPER_MAGIC, "smb"},
	};
	struct statfs fs;

	if (fstatfs(pod_dir, &fs) < 0)
		return NULL;
	if (fs.f_type == XFS_SUPER_MAGIC && lacks_d_type(pod_dir))
		return "an xfs that was made with ftype=0";
	for (size_t i = 0; i < ELEMENTSOF(systems); i++)
		if ((long) fs.f_type == systems[i].type)
			return systems[i].why;
	return NULL;
}

/*
 * Whether the kernel has overlayfs; loads the module where there is one. A filter in the way is for
 * stage1 to tell.
 */
static bool has_overlayfs(void)
{
	_cleanup_fd_ int fd = (int) syscall(SYS_fsopen, "overlay", 1 /* FSOPEN_CLOEXEC */);

	return fd >= 0 || errno != ENODEV;
}

bool overlay_is_possible(const struct gantry *g, int pod_dir)
{
	const char *why = no_overlay_here(pod_dir);

	if (why)
		log_warning("%s is on %s: the images' trees are copied", g->data_dir, why);
	else if (!has_overlayfs())
		log_warning("the kernel has no overlayfs: the images' trees are copied");
	else
		return true;
	return false;
}
