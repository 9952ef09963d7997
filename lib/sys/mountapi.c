#include "sys/mountapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

/* musl's <sys/syscall.h> lags behind the kernel; the numbers are the same on every architecture. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/*
 * umount2(2): <sys/mount.h> and <linux/mount.h> cannot be included together with every C library.
 */
#define UMOUNT_DETACH 2

static int check(long r)
{
	return r < 0 ? -errno : (int) r;
}

/* What the file system wrote into its context: lines "e text", "w text", "i text" (fsopen(2)). */
static int fs_error(int fs, const char *type, const char *what, struct err *e)
{
	int code = errno;
	char text[256];
	ssize_t n = e ? read(fs, text, sizeof text - 1) : -1;
	_cleanup_free_ char *said = NULL;

	if (n <= 2) {
		errno = code;
		return err_sys(e, "new %s: %s", type, what);
	}
	said = str_escape(text + 2, (size_t) n - 2 - (text[n - 1] == '\n'));
	return err_set(e, code, "new %s: %s: %s (%s)", type, what, strerror(code), said);
}

int mnt_new(const char *type, const struct mnt_option *options, unsigned attrs, struct err *e)
{
	_cleanup_fd_ int fs = check(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
	int mnt;

	if (fs < 0)
		return err_sysr(e, fs, "new %s: fsopen", type);
	for (; options && options->key; options++) {
		long r = syscall(SYS_fsconfig, fs,
				 options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
				 options->key, options->value, 0);

		if (r < 0)
			return fs_error(fs, type, options->key, e);
	}
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(fs, type, "fsconfig create", e);
	mnt = check(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs));
	return mnt < 0 ? fs_error(fs, type, "fsmount", e) : mnt;
}

int mnt_clone(int dirfd, const char *path, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;

	return check(syscall(SYS_open_tree, dirfd, path, flags | (recursive ? AT_RECURSIVE : 0)));
}

/* The words of our own for the kernel's. */
static unsigned propagation(unsigned attrs)
{
	return attrs & MNT_ATTR_PRIVATE ? MS_PRIVATE : attrs & MNT_ATTR_SLAVE ? MS_SLAVE : 0;
}

static unsigned without_propagation(unsigned attrs)
{
	return attrs & ~(unsigned) (MNT_ATTR_PRIVATE | MNT_ATTR_SLAVE);
}

static int set_attrs(int mnt, unsigned attrs, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = without_propagation(attrs),
		.propagation = propagation(attrs),
	};

	return check(syscall(SYS_mount_setattr, mnt, "",
			     AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr));
}

/*
 * The same by mount(2): only for attached mounts, and read-only and its like only for one mount at
 * a time.
 */
static int set_attrs_old(int mnt, unsigned attrs, bool recursive)
{
	struct statvfs st;
	char path[40];
	int r = 0;

	(void) snprintf(path, sizeof path, "/proc/self/fd/%d", mnt);
	if (propagation(attrs))
		r = check(syscall(SYS_mount, NULL, path, NULL,
				  propagation(attrs) | (recursive ? MS_REC : 0), NULL));
	attrs = without_propagation(attrs);
	if (r < 0 || !attrs)
		return r;
	if (recursive)
		return -ENOSYS;
	if (fstatvfs(mnt, &st) < 0)
		return -errno;
	/*
	 * All flags are replaced, so those that it has are said again; the numbers of ST_* are
	 * those of MS_*.
	 */
	return check(syscall(SYS_mount, NULL, path, NULL,
			     MS_REMOUNT | MS_BIND | attrs | (st.f_flag & 0xf), NULL));
}

int mnt_set_attrs(int mnt, unsigned attrs, bool recursive)
{
	int r = set_attrs(mnt, attrs, recursive);

	return r == -ENOSYS ? set_attrs_old(mnt, attrs, recursive) : r;
}

int mnt_map_ids(int mnt, int users)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) users};

	return check(syscall(SYS_mount_setattr, mnt, "", AT_EMPTY_PATH, &attr, sizeof attr));
}

int mnt_attach(int mnt, int to, unsigned attrs, bool recursive)
{
	int r = attrs ? set_attrs(mnt, attrs, recursive) : 0;
	bool later = r == -ENOSYS;

	if (r < 0 && !later)
		return r;
	r = check(syscall(SYS_move_mount, mnt, "", to, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
	return r < 0 || !later ? r : set_attrs_old(mnt, attrs, recursive);
}

int mnt_bind(const char *from, const char *to)
{
	return check(syscall(SYS_mount, from, to, NULL, MS_BIND, NULL));
}

int mnt_make_private(void)
{
	return check(syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

int mnt_pivot(int root)
{
	/*
	 * pivot_root(2), NOTES: "." twice puts the old root on top of the new one, whence it is
	 * detached.
	 */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    syscall(SYS_umount2, ".", UMOUNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
