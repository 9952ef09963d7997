/*
 * Removing a tree that an app may have shaped: thousands of levels deep, links to anywhere, mounts in
 * it.  Depth costs neither stack nor descriptors: a sub-directory that is not empty is moved up into
 * the directory in which we started ("flattened") under a fresh name, and removed from there.
 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

struct removal {
	int top;	/* the directory that everything is flattened into */
	dev_t dev;
	unsigned serial;
	int first_error; /* negative errno, 0 while all went well */
	char name[256];	 /* of the entry that failed first */
};

static void note_error(struct removal *rm, int r, const char *name)
{
	if (rm->first_error)
		return;
	rm->first_error = r;
	(void) snprintf(rm->name, sizeof rm->name, "%s", name);
}

/*
 * Open a directory for emptying.  Whoever is not root needs all of rwx on it (w also to move it: its ".."
 * changes), which its owner may take back; never through a link that took its place.
 */
static int open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0 && errno == EACCES)
		(void) fchmod(fd, 0700);
	return fd;
}

/* Move a directory that is not empty up to the top, under a name that nobody has yet. */
static int move_up(struct removal *rm, int dfd, const char *name)
{
	bool opened_up = false;
	char moved[64];

	for (;;) {
		(void) snprintf(moved, sizeof moved, ".rm-%d-%u", (int) getpid(), rm->serial++);
		if (renameat(dfd, name, rm->top, moved) == 0)
			return 1;
		if (errno == ENOENT)
			return 0;
		if (errno == EACCES && !opened_up) {
			opened_up = true;
			if (fchmodat(dfd, name, 0700, AT_SYMLINK_NOFOLLOW) < 0)
				return -EACCES;
			continue;
		}
		/* ENOTDIR: an app may have made a file of that name. */
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return -errno;
	}
}

/* One entry of the directory `dfd`. Returns 1 when a directory has still to be emptied. */
static int remove_entry(struct removal *rm, int dfd, const char *name)
{
	if (unlinkat(dfd, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return errno == ENOENT ? 0 : -errno;
	if (unlinkat(dfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTDIR)
		return -EPERM;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	return dfd == rm->top ? 1 : move_up(rm, dfd, name);
}

/* Empty the directory behind `dfd` as far as it goes. Returns how many directories are left to empty. */
static int empty_dir(struct removal *rm, int dfd)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	struct stat st;
	int left = 0, fd = fd_copy(dfd);

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return -errno;
	}
	rewinddir(d);
	if (fstat(dfd, &st) == 0 && st.st_dev != rm->dev)
		return -EXDEV;
	while ((de = readdir(d))) {
		int r;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		r = remove_entry(rm, dfd, de->d_name);
		if (r < 0)
			note_error(rm, r, de->d_name);
		else
			left += r;
	}
	return left;
}

/* Empty the sub-directories of the top one, which may put new ones there. */
static int empty_children(struct removal *rm)
{
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *de;
	int fd = openat(rm->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		(void) fd_close(fd);
		return -errno;
	}
	while ((de = readdir(d))) {
		_cleanup_fd_ int child = -EBADF;
		int r;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		child = open_dir(rm->top, de->d_name);
		if (child < 0) {
			if (child != -ENOENT && child != -ENOTDIR)
				note_error(rm, child, de->d_name);
			continue;
		}
		r = empty_dir(rm, child);
		if (r < 0)
			note_error(rm, r, de->d_name);
	}
	return 0;
}

int path_remove_tree(int dirfd, const char *name, struct err *e)
{
	struct removal rm = {0};
	_cleanup_fd_ int top = -EBADF;
	struct stat st;
	int left, r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(e, "remove %s", name);
	top = open_dir(dirfd, name);
	if (top == -ENOENT)
		return 0;
	/* An immutable file: EPERM is what unlink said. */
	if (top == -ENOTDIR)
		return err_sysr(e, -EPERM, "remove %s", name);
	if (top < 0 || fstat(top, &st) < 0)
		return err_sysr(e, top < 0 ? top : -errno, "remove %s", name);
	rm.top = top;
	rm.dev = st.st_dev;
	do {
		left = empty_dir(&rm, top);
		r = left > 0 && !rm.first_error ? empty_children(&rm) : left;
		if (r < 0)
			note_error(&rm, r, name);
	} while (left > 0 && !rm.first_error);
	if (rm.first_error)
		return err_sysr(e, rm.first_error, "remove %s: %s", name, q(rm.name));
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", name);
	return 0;
}
