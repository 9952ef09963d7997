/*
 * A worker's own root.  The mount objects are taken while we are still in the host's mount namespace
 * (a descriptor into another namespace is no source for open_tree(2)), attached in our own, and then
 * the old root goes: what is not bound here is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "stage0/worker/jail.h"

#define SHARED_MAX 16
#define MOUNTINFO_MAX (16u << 20)
/* Any directory that every host has: the new root is hung there, for the moment of the pivot only. */
#define ATTACH_AT "/usr"

struct shared {
	const char *path;
	int tree; /* detached mount; -EBADF: a link, see `target` */
	bool is_dir;
	char target[256];
};

static int clone_tree(int dirfd, const char *path, unsigned flags)
{
	int fd = open_tree(dirfd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

/* Before Linux 5.12 there is no such call; an unprivileged user then still cannot write there. */
static int set_flags(int tree, uint64_t flags)
{
	struct mount_attr attr = {.attr_set = flags, .propagation = MS_PRIVATE};

	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0 && errno != ENOSYS)
		return -errno;
	return 0;
}

/* Returns 0 when the path is not there. */
static int share(const char *path, struct shared *s, struct err *e)
{
	bool device = str_starts(path, "/dev/");
	struct stat st;
	ssize_t n;
	int r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	*s = (struct shared) {.path = path, .tree = -EBADF, .is_dir = S_ISDIR(st.st_mode)};
	if (S_ISLNK(st.st_mode)) {
		n = readlink(path, s->target, sizeof s->target - 1);
		if (n < 0)
			return err_sys(e, "%s", path);
		s->target[n] = '\0';
		return 1;
	}
	s->tree = clone_tree(AT_FDCWD, path, AT_RECURSIVE);
	if (s->tree < 0)
		return err_sysr(e, s->tree, "share %s", path);
	r = set_flags(s->tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | (device ? 0 : MOUNT_ATTR_NODEV));
	return r < 0 ? err_sysr(e, r, "share %s", path) : 1;
}

static int new_tmpfs(struct err *e)
{
	_cleanup_fd_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "16m", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(e, "tmpfs");
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? err_sys(e, "tmpfs") : fd;
}

/* Make "a/b" and its parents below the new root, the last as a directory or as an empty file. */
static int make_place(int root, const char *path, bool is_dir)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *p = copy; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (mkdirat(root, copy, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	if (is_dir)
		return mkdirat(root, path, 0755) < 0 && errno != EEXIST ? -errno : 0;
	return mknodat(root, path, S_IFREG | 0444, 0) < 0 && errno != EEXIST ? -errno : 0;
}

static int attach(int root, const struct shared *s)
{
	const char *below = s->path + 1;
	int r;

	if (s->tree < 0)
		return symlinkat(s->target, root, below) < 0 ? -errno : 0;
	r = make_place(root, below, s->is_dir);
	if (r == 0 && move_mount(s->tree, "", root, below, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		r = -errno;
	return r;
}

static int fill(int root, const struct shared *v, size_t n, const struct jail *j, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int r = attach(root, &v[i]);

		if (r < 0)
			return err_sysr(e, r, "share %s", v[i].path);
	}
	if (mkdirat(root, JAIL_HOME + 1, 0700) < 0 ||
	    (fchownat(root, JAIL_HOME + 1, j->uid, j->uid, 0) < 0 && errno != EINVAL))
		return err_sys(e, "mkdir " JAIL_HOME);
	return 0;
}

static int pivot(int root, struct err *e)
{
	/* "." twice: the old root ends up on top of the new one, and is taken off (pivot_root(2)). */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return err_sys(e, "change root");
	return 0;
}

static int leave_namespaces(const struct jail *j, struct err *e)
{
	int flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (j->network ? 0 : CLONE_NEWNET);

	if (unshare(flags) < 0)
		return err_sys(e, "unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make mounts private");
	return 0;
}

/* Whether the mount is in none of our places: it was made for us, and is ours to take. */
static bool is_detached(int fd)
{
	_cleanup_free_ char *text = NULL, *id = NULL;
	struct statx st;
	size_t len;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID))
		return false;
	if (file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len, NULL) < 0)
		return false;
	id = xasprintf("%llu ", (unsigned long long) st.stx_mnt_id);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (str_starts(line, id))
			return false;
	}
	return true;
}

static int take_root(int fd)
{
	int root = clone_tree(fd, "", AT_EMPTY_PATH);

	/* Before Linux 6.15 a detached mount cannot be copied; it need not be, either. */
	return root == -EINVAL && is_detached(fd) ? fd_copy(fd) : root;
}

int jail_root(const struct jail *j, struct err *e)
{
	struct shared v[SHARED_MAX];
	_cleanup_fd_ int root = -EBADF;
	size_t n = 0;
	int r;

	if (j->root >= 0) {
		root = take_root(j->root);
		r = root < 0 ? root : set_flags(root, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
						      (j->read_only ? MOUNT_ATTR_RDONLY : 0));
		if (r < 0)
			return err_sysr(e, r, "root directory");
	}
	for (size_t i = 0; j->root < 0 && j->shared[i] && n < SHARED_MAX; i++) {
		r = share(j->shared[i], &v[n], e);
		if (r < 0)
			return r;
		n += (size_t) r;
	}
	r = leave_namespaces(j, e);
	if (r == 0 && root < 0) {
		root = new_tmpfs(e);
		r = root < 0 ? root : 0;
	}
	if (r == 0 && move_mount(root, "", AT_FDCWD, ATTACH_AT, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		r = err_sys(e, "attach root");
	if (r == 0 && j->root < 0)
		r = fill(root, v, n, j, e);
	if (r == 0)
		r = pivot(root, e);
	for (size_t i = 0; i < n; i++)
		(void) fd_close(v[i].tree);
	return r;
}
