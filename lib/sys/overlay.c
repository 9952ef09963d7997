/*
 * Three ways, the first that the kernel takes:
 *
 *   lowerdir+    one call of fsconfig(2) for each directory (Linux 6.8; Documentation/filesystems/overlayfs.rst)
 *   lowerdir     all of them in one string.  fsconfig(2) takes 255 bytes: the directories are opened, and named
 *                from inside /proc/self/fd by their numbers: some sixty.
 *   mount(2)     takes a page.  What it mounts is attached, so this is for a child with a mount namespace of
 *                its own, which clones it off (open_tree(2)).
 *
 * One directory alone is the second way, by its path.
 */
#include "sys/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "sys/fd_limit.h"
#include "sys/mountapi.h"

#define FSCONFIG_STRING_MAX 255
#define FDS "/proc/self/fd"

/* A path as the kernel will find it from here. */
static char *from_here(const struct overlay *o, const char *path)
{
	return o->dir == AT_FDCWD || path[0] == '/' ? xstrdup(path) : xasprintf(FDS "/%d/%s", o->dir, path);
}

static void add(struct mnt_option **options, size_t *n, const char *key, const char *value)
{
	*options = xgrow(*options, *n + 1, sizeof **options);
	(*options)[(*n)++] = (struct mnt_option) {key, value};
	(*options)[*n] = (struct mnt_option) {NULL, NULL};
}

/* Each lower directory by an option of its own; for one the key that every kernel knows. */
static int by_paths(const struct overlay *o, unsigned attrs, struct err *e)
{
	_cleanup_strv_ char **paths = NULL;
	_cleanup_free_ struct mnt_option *options = NULL;
	size_t n = 0;

	/* The first of them is the topmost. */
	for (size_t i = o->n_lower; i-- > 0;)
		strv_push(&paths, from_here(o, o->lower[i]));
	for (size_t i = 0; i < o->n_lower; i++)
		add(&options, &n, o->n_lower > 1 ? "lowerdir+" : "lowerdir", paths[i]);
	if (o->upper) {
		strv_push(&paths, from_here(o, o->upper));
		strv_push(&paths, from_here(o, o->work));
		add(&options, &n, "upperdir", paths[o->n_lower]);
		add(&options, &n, "workdir", paths[o->n_lower + 1]);
	}
	if (o->source)
		add(&options, &n, "source", o->source);
	return mnt_new("overlay", options, attrs, e);
}

/* The directories by their descriptors; those of an overlay without an upper layer end with the last lower. */
struct opened {
	int *fds;
	size_t n;
	char *lower; /* "12:11:10" */
};

static void opened_done(struct opened *d)
{
	for (size_t i = 0; i < d->n; i++)
		(void) fd_close(d->fds[i]);
	free(d->fds);
	free(d->lower);
}
#define _cleanup_opened_ __attribute__((cleanup(opened_done)))

static int open_one(const struct overlay *o, const char *path, struct opened *d, struct err *e)
{
	int fd = openat(o->dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	d->fds[d->n++] = fd;
	return 0;
}

static int open_all(const struct overlay *o, struct opened *d, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int r = 0;

	d->fds = xcalloc(o->n_lower + 2, sizeof *d->fds);
	for (size_t i = 0; r == 0 && i < o->n_lower; i++)
		r = open_one(o, o->lower[i], d, e);
	if (r == 0 && o->upper)
		r = open_one(o, o->upper, d, e);
	if (r == 0 && o->upper)
		r = open_one(o, o->work, d, e);
	if (r < 0)
		return r;
	for (size_t i = o->n_lower; i-- > 0;)
		strbuf_addf(&sb, "%s%d", sb.len ? ":" : "", d->fds[i]);
	d->lower = strbuf_take(&sb);
	return 0;
}

static int by_numbers(const struct overlay *o, const struct opened *d, unsigned attrs, struct err *e)
{
	_cleanup_free_ char *upper = o->upper ? xasprintf("%d", d->fds[o->n_lower]) : NULL;
	_cleanup_free_ char *work = o->upper ? xasprintf("%d", d->fds[o->n_lower + 1]) : NULL;
	_cleanup_fd_ int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ struct mnt_option *options = NULL;
	size_t n = 0;
	int r;

	if (here < 0 || chdir(FDS) < 0)
		return err_sys(e, "chdir " FDS);
	add(&options, &n, "lowerdir", d->lower);
	if (upper) {
		add(&options, &n, "upperdir", upper);
		add(&options, &n, "workdir", work);
	}
	if (o->source)
		add(&options, &n, "source", o->source);
	r = mnt_new("overlay", options, attrs, e);
	if (fchdir(here) < 0) {
		(void) fd_close(r);
		return err_sys(e, "chdir back from " FDS);
	}
	return r;
}

int overlay_open_here(int fd)
{
	char link[40], path[PATH_MAX];
	struct stat there, here;
	ssize_t n;
	int again;

	(void) snprintf(link, sizeof link, FDS "/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0 || fstat(fd, &there) < 0)
		return errno;
	path[n] = '\0';
	again = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (again < 0 || fstat(again, &here) < 0)
		return errno;
	if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
		return ESTALE;
	if (dup3(again, fd, O_CLOEXEC) < 0)
		return errno;
	(void) fd_close(again);
	return 0;
}

/*
 * In the child, whose table of descriptors is the parent's: the mount takes the place of the descriptor `to`.
 * Returns an errno value.  /proc is as good a place as any, and nobody else sees it there.
 */
static int mount_and_clone(const struct overlay *o, const struct opened *d, unsigned attrs, int to)
{
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
	int fd, r;

	strbuf_addf(&data, "lowerdir=%s", d->lower);
	if (o->upper)
		strbuf_addf(&data, ",upperdir=%d,workdir=%d", d->fds[o->n_lower], d->fds[o->n_lower + 1]);
	r = -mnt_make_private();
	for (size_t i = 0; r == 0 && i < d->n; i++)
		r = overlay_open_here(d->fds[i]);
	if (r)
		return r;
	/* The numbers of MNT_ATTR_* that are used here are those of MS_*. */
	if (chdir(FDS) < 0 || mount(o->source ? o->source : "none", "/proc", "overlay", attrs, data.buf) < 0)
		return errno;
	fd = mnt_clone(AT_FDCWD, "/proc", false);
	if (fd < 0)
		return -fd;
	r = dup3(fd, to, O_CLOEXEC) < 0 ? errno : 0;
	(void) fd_close(fd);
	return r;
}

static int by_child(const struct overlay *o, const struct opened *d, unsigned attrs, struct err *e)
{
	_cleanup_fd_ int place = fd_copy(d->fds[0]);
	pid_t pid;
	int status;

	if (place < 0)
		return err_sysr(e, place, "a descriptor for an overlay");
	pid = (pid_t) syscall(SYS_clone, (unsigned long) (CLONE_FILES | CLONE_NEWNS | SIGCHLD), 0UL, 0UL, 0UL, 0UL);
	if (pid == 0)
		_exit(mount_and_clone(o, d, attrs, place));
	if (pid < 0)
		return err_sys(e, "clone a process that mounts an overlay");
	status = proc_wait(pid);
	if (WIFSIGNALED(status))
		return err_set(e, EIO, "the process that mounts an overlay was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_sysr(e, -WEXITSTATUS(status), "mount an overlay of %zu directories", o->n_lower);
	return take_fd(place);
}

static int old_ways(const struct overlay *o, unsigned attrs, struct err *e)
{
	_cleanup_fd_limit_ struct fd_limit limit = fd_limit_raise();
	_cleanup_opened_ struct opened d = {0};
	int r = open_all(o, &d, e);

	if (r < 0)
		return r;
	return strlen(d.lower) <= FSCONFIG_STRING_MAX ? by_numbers(o, &d, attrs, e) : by_child(o, &d, attrs, e);
}

int overlay_new(const struct overlay *o, unsigned attrs, struct err *e)
{
	static bool old; /* the kernel was asked, and does not know "lowerdir+" */
	_cleanup_err_ struct err why = ERR_INIT;
	int r;

	if (o->n_lower > OVERLAY_LOWER_MAX)
		return err_set(e, EINVAL, "overlayfs stacks %d directories, not %zu", OVERLAY_LOWER_MAX, o->n_lower);
	if (o->map)
		return overlay_mapped(o, attrs, e);
	if (o->n_lower == 1)
		return by_paths(o, attrs, e);
	if (!old) {
		r = by_paths(o, attrs, &why);
		/* Of a key that it does not know a kernel says no more than that. */
		if (r != -EINVAL)
			return r < 0 ? err_move(e, &why) : r;
	}
	r = old_ways(o, attrs, e);
	old |= r >= 0;
	return r;
}
