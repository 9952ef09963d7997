/*
 * Volumes and files: detached mounts made by stage1/run, attached in their order.  Their targets
 * come from images, so they are resolved inside the app's root, and what counts is where they
 * really end: never the root itself, procfs, or below a path that is masked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "stage2/stage2.h"
#include "sys/mountapi.h"

#define LINKS_MAX 8

static int make_target(int root, const char *path, bool dir, int links);

/*
 * The last component is a link to nothing: what it points to is made (resolv.conf of many images).
 */
static int follow_dangling(int root, int parent, const char *parent_path, const char *name,
			   bool dir, int links)
{
	_cleanup_free_ char *next = NULL;
	char text[PATH_MAX];
	ssize_t n = readlinkat(parent, name, text, sizeof text - 1);

	if (n < 0)
		return errno == EINVAL ? -ENOTDIR : -errno;
	if (links >= LINKS_MAX)
		return -ELOOP;
	text[n] = '\0';
	next = path_is_absolute(text) ? xstrdup(text) : path_join(parent_path, text);
	return make_target(root, next, dir, links + 1);
}

/*
 * Make a missing target with its parents, 0:0 and 0755 (a file: 0644); returns an O_PATH
 * descriptor.
 */
static int make_target(int root, const char *path, bool dir, int links)
{
	_cleanup_free_ char *clean = path_clean(path), *parent_path = NULL;
	const char *name = path_last(clean);
	_cleanup_fd_ int parent = -EBADF, fd = -EBADF;

	fd = path_open_beneath(root, clean, O_PATH, 0, PATH_IN_ROOT);
	if (fd != -ENOENT)
		return take_fd(fd);
	parent_path = xstrndup(clean, (size_t) (name - clean));
	parent = path_mkdirs_beneath(root, parent_path, 0755, PATH_IN_ROOT);
	if (parent < 0)
		return parent;
	if ((dir ? mkdirat(parent, name, 0755) : mknodat(parent, name, S_IFREG | 0644, 0)) < 0)
		return errno == EEXIST
			       ? follow_dangling(root, parent, parent_path, name, dir, links)
			       : -errno;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchownat(fd, "", 0, 0, AT_EMPTY_PATH) < 0)
		return -errno;
	return take_fd(fd);
}

/* Where in the app's root the descriptor lies, as a clean path. */
static int real_target(int fd, char ret[PATH_MAX])
{
	char link[40], text[PATH_MAX];
	size_t skip = strlen(ROOT_PLACE);
	ssize_t n;

	(void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof text - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (!path_is_below(text, ROOT_PLACE))
		return -EXDEV;
	(void) snprintf(ret, PATH_MAX, "%s", text[skip] ? text + skip : "/");
	return 0;
}

/* In a chroot the host's own come like volumes. stage1/run lets no other be on the first two. */
static bool is_hosts_dir(const struct stage2 *s, const char *path)
{
	return s->rec.chroot && (!strcmp(path, "/proc") || !strcmp(path, "/dev") ||
				 !strcmp(path, "/sys"));
}

/*
 * Nothing may stand where our own file systems answer for the app's confinement (CVE-2019-16884).
 */
static int check_target(const struct stage2 *s, const struct app_mount *m, const char *real,
			struct err *e)
{
	if (!strcmp(real, "/"))
		return err_set(e, EINVAL, "a volume cannot be the root");
	if (is_hosts_dir(s, m->target))
		return strcmp(real, m->target)
			       ? err_set(e, ELOOP, "the image has a link there")
			       : 0;
	if (path_is_below(real, "/proc"))
		return err_set(e, EINVAL, "a volume cannot be at or below /proc");
	if (!strcmp(real, "/dev"))
		return err_set(e, EINVAL, "a volume cannot be /dev");
	for (char **mask = s->rec.paths ? s->rec.masks : NULL; mask && *mask; mask++)
		if (path_is_below(real, *mask))
			return err_set(e, EINVAL,
				       "a volume cannot be at or below %s, which is masked", *mask);
	return 0;
}

/*
 * A volume that is itself a device node was asked for as one; in all others devices do not work.  In
 * a chroot they do, and stage1/run has decided what is mounted through to where.
 */
static int attributes(const struct stage2 *s, int mnt, const struct app_mount *m, unsigned *ret)
{
	struct stat st;

	if (fstat(mnt, &st) < 0)
		return -errno;
	*ret = s->rec.chroot ? 0 : MNT_ATTR_PRIVATE;
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode) && !s->rec.chroot)
		*ret |= MNT_ATTR_NODEV;
	if (m->read_only)
		*ret |= MNT_ATTR_RDONLY;
	return S_ISDIR(st.st_mode) == m->dir ? 0 : -EINVAL;
}

/* Nothing is made in the host's own file systems. */
static bool is_hosts(const struct stage2 *s, const char *path)
{
	return s->rec.chroot && (path_is_below(path, "/dev") || path_is_below(path, "/proc") ||
				 path_is_below(path, "/sys"));
}

static int open_target(const struct stage2 *s, const char *path, bool dir)
{
	/* The three themselves are the image's to have or to lack. */
	if (is_hosts(s, path) && !is_hosts_dir(s, path))
		return path_open_beneath(s->root, path, O_PATH, 0, PATH_IN_ROOT);
	return make_target(s->root, path, dir, 0);
}

/*
 * A directory in place of a file of the image (appc specification, "Volume Setup"; stage1/run has told
 * the user). Only in the app's own root: a file below another mount is somebody else's.  Returns the new
 * directory.
 */
static int replace_file(const struct stage2 *s, const char *real)
{
	const char *name = path_last(real);
	_cleanup_free_ char *parent_path = xstrndup(real, (size_t) (name - real));
	_cleanup_fd_ int parent = -EBADF, file = -EBADF;
	struct stat st;
	int fd;

	file = path_open_beneath(s->root, real, O_PATH, 0, PATH_NO_LINKS | PATH_NO_XDEV);
	parent = path_open_beneath(s->root, parent_path, O_PATH | O_DIRECTORY, 0, PATH_NO_LINKS | PATH_NO_XDEV);
	if (file < 0 || parent < 0)
		return -ENOTDIR;
	if (fstat(file, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTDIR;
	if (unlinkat(parent, name, 0) < 0 || mkdirat(parent, name, 0755) < 0)
		return -errno;
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Attach, and say what is missing where that is what it is. */
static int attach(int mnt, int target, unsigned attrs, bool recursive, struct err *e)
{
	int r = mnt_attach(mnt, target, attrs, recursive);

	if (r == -ENOSYS && recursive)
		return err_set(e, ENOSYS,
			       "the attributes of what is mounted below it cannot be set: this kernel has no "
			       "mount_setattr (Linux 5.12); recursive=false does without");
	return r < 0 ? err_sysr(e, r, "attach") : 0;
}

static int attach_volume(const struct stage2 *s, const struct app_mount *m, struct err *e)
{
	_cleanup_fd_ int mnt = fds_take_n("mount", m->fd), target = -EBADF;
	_cleanup_free_ char *clean = path_clean(m->target);
	char real[PATH_MAX];
	unsigned attrs = 0;
	struct stat st;
	int r;

	if (mnt < 0)
		return err_set(e, EBADF, "no descriptor mount%u", m->fd);
	r = attributes(s, mnt, m, &attrs);
	if (r < 0)
		return err_sysr(e, r, "look at source");
	/* As it is written, before anything is made; and as it is, where links lead. */
	r = check_target(s, m, clean, e);
	if (r < 0)
		return r;
	target = open_target(s, clean, m->dir);
	if (target < 0)
		return err_sysr(e, target, "make target");
	r = real_target(target, real);
	if (r < 0)
		return err_sysr(e, r, "find target");
	r = check_target(s, m, real, e);
	if (r < 0)
		return r;
	if (fstat(target, &st) < 0)
		return err_sys(e, "look at target");
	if (!S_ISDIR(st.st_mode) && m->dir) {
		(void) fd_close(target);
		target = replace_file(s, real);
		if (target == -ENOTDIR)
			return err_set(e, ENOTDIR, "there is a file there");
		if (target < 0)
			return err_sysr(e, target, "put a directory in the place of a file");
	}
	if (S_ISDIR(st.st_mode) && !m->dir)
		return err_set(e, EISDIR, "there is a directory there");
	/* Nothing is mounted below a file. */
	return attach(mnt, target, attrs, m->recursive && m->dir, e);
}

/*
 * Docker's builders do not make the directory that an image names, and those that run it do.  What comes of it the
 * step that goes there tells.
 */
static void make_cwd(const struct stage2 *s)
{
	_cleanup_fd_ int fd = s->rec.make_cwd ? make_target(s->root, s->rec.cwd, true, 0) : -EBADF;
}

int step_volumes(struct stage2 *s, struct err *e)
{
	for (size_t i = 0; i < s->rec.n_mounts; i++) {
		const struct app_mount *m = s->rec.mounts + i;
		int r = attach_volume(s, m, e);

		if (r < 0)
			return err_ctx(e, r, "mount on %s", q(m->target));
	}
	make_cwd(s);
	return 0;
}
