/*
 * Layers whose owners on disk are those of a user namespace.
 *
 * overlayfs itself cannot be ID-mapped, but its layers can (Linux 5.19); until 6.15 it takes none that is attached
 * nowhere.  So a child with a mount namespace of its own lays over each of the directories in which the layers lie
 * a clone of it with the map: the same paths lead to mapped layers then, and the overlay that is mounted from them
 * outlives the namespace, which nobody else sees.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "sys/mountapi.h"
#include "sys/overlay.h"

#define MESSAGE_MAX 2048

static int lay_over(const char *path, int users, struct err *e)
{
	_cleanup_fd_ int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), mnt = -EBADF;
	int r;

	if (dir < 0)
		return err_sys(e, "open %s", path);
	mnt = mnt_clone(dir, "", false);
	if (mnt < 0)
		return err_sysr(e, mnt, "open_tree %s", path);
	r = mnt_map_ids(mnt, users);
	if (r == -EINVAL)
		return err_set(e, EINVAL, "the file system of %s takes no ID-mapped mounts, which user namespaces need "
			       "for overlays; --no-overlay does without", path);
	if (r == -ENOSYS)
		return err_set(e, ENOSYS, "this kernel has no ID-mapped mounts (Linux 5.12), which user namespaces "
			       "need for overlays; --no-overlay does without");
	if (r == 0)
		r = mnt_attach(mnt, dir, 0, false);
	return r < 0 ? err_sysr(e, r, "ID-mapped mount of %s", path) : 0;
}

/*
 * What overlayfs makes for itself (index, work) it makes as whoever mounted it, and on a mapped mount only mapped
 * users can make anything (EOVERFLOW).  The capabilities stay: it is by them that it may touch the layers.
 */
static int become_maker(uid_t root, struct err *e)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		return err_sys(e, "prctl PR_SET_SECUREBITS");
	(void) setfsgid(root);
	(void) setfsuid(root);
	/* setfsuid(2): only asking again tells whether it was done. */
	if ((uid_t) setfsgid((gid_t) -1) != root || (uid_t) setfsuid((uid_t) -1) != root)
		return err_set(e, EPERM, "setfsuid %u failed", root);
	return 0;
}

/* A layer by number is a layer as it was found before, without the map. */
static int find_again(const char *path, struct err *e)
{
	static const char fds[] = "/proc/self/fd/";
	uint64_t n;
	int r;

	if (!str_starts(path, fds))
		return 0;
	if (parse_u64(path + strlen(fds), INT32_MAX, &n) < 0)
		return err_set(e, EINVAL, "%s is no descriptor", q(path));
	r = overlay_open_here((int) n);
	return r ? err_sysr(e, -r, "open %s with the map", q(path)) : 0;
}

static int make(const struct overlay *o, unsigned attrs, struct err *e)
{
	struct overlay plain = *o;
	int r = mnt_make_private();

	if (r < 0)
		return err_sysr(e, r, "make mounts private");
	for (char *const *t = o->map->tops; r == 0 && *t; t++)
		r = lay_over(*t, o->map->users, e);
	for (size_t i = 0; r == 0 && i < o->n_lower; i++)
		r = find_again(o->lower[i], e);
	if (r == 0)
		r = become_maker(o->map->root, e);
	if (r < 0)
		return r;
	plain.map = NULL;
	r = overlay_new(&plain, attrs, e);
	return r == -EINVAL ? err_ctx(e, r, "an overlay of ID-mapped mounts (Linux 5.19; --no-overlay does without)")
			    : r;
}

/* Who am I: a process that has the table of descriptors in common with its parent, and ends with this. */
static _noreturn_ void child(const struct overlay *o, unsigned attrs, int place, int message)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int fd = make(o, attrs, &e);

	if (fd >= 0 && dup3(fd, place, O_CLOEXEC) < 0)
		(void) err_sys(&e, "the place of an overlay");
	(void) fd_close(fd);
	if (e.code)
		(void) write_all(message, err_text(&e), strnlen(err_text(&e), MESSAGE_MAX - 1));
	_exit(e.code > 0 && e.code < 256 ? e.code : 0);
}

static int answer(int message, int status, struct err *e)
{
	char text[MESSAGE_MAX];
	ssize_t n;

	if (WIFSIGNALED(status))
		return err_set(e, EIO, "the process that mounts an overlay was killed by signal %d", WTERMSIG(status));
	if (!WEXITSTATUS(status))
		return 0;
	n = read(message, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	return err_set(e, WEXITSTATUS(status), "%s", n > 0 ? text : strerror(WEXITSTATUS(status)));
}

int overlay_mapped(const struct overlay *o, unsigned attrs, struct err *e)
{
	_cleanup_fd_ int place = fd_copy(o->map->users), in = -EBADF, out = -EBADF;
	int pipe_fds[2], r;
	pid_t pid;

	if (place < 0)
		return err_sysr(e, place, "a descriptor for an overlay");
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	in = pipe_fds[0];
	out = pipe_fds[1];
	pid = (pid_t) syscall(SYS_clone, (unsigned long) (CLONE_FILES | CLONE_NEWNS | SIGCHLD), 0UL, 0UL, 0UL, 0UL);
	if (pid == 0)
		child(o, attrs, place, out);
	if (pid < 0)
		return err_sys(e, "clone a process that mounts an overlay");
	r = answer(in, proc_wait(pid), e);
	return r < 0 ? r : take_fd(place);
}
