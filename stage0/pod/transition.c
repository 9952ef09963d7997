#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/proc.h"
#include "stage0/pod/pod.h"

/* How often a look at the pod by somebody else may come in between; each lasts microseconds. */
#define LOCK_TRIES 10000

int pod_lock(struct pod *p)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (lock_fd(p->dir, LOCK_EXCLUSIVE, false) == 0) {
			if (pod_in_place(p))
				return 0;
			(void) lock_fd(p->dir, LOCK_UNLOCK, false);
			return -ENOENT;
		}
		/* Shared works: then only a look was in the way, not an owner. */
		if (lock_fd(p->dir, LOCK_SHARED, false) < 0)
			return -EWOULDBLOCK;
		(void) lock_fd(p->dir, LOCK_UNLOCK, false);
		sched_yield();
	}
	return -EWOULDBLOCK;
}

/* Who am I: a child that sleeps in flock(2) for its parent, which waits for it with a deadline. */
static _noreturn_ void wait_in_child(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	_exit(fd >= 0 && lock_fd(fd, LOCK_SHARED, true) == 0 ? 0 : 1);
}

/*
 * flock(2) has no deadline, and a signal handler would belong to the whole program: a child waits for
 * the lock on a description of its own, and is ended when the time is over.
 */
int pod_wait_unlocked(struct pod *p, int64_t timeout_ms)
{
	char path[64];
	int pidfd, st, r;
	pid_t pid;

	if (lock_fd(p->dir, LOCK_SHARED, false) == 0)
		return lock_fd(p->dir, LOCK_UNLOCK, false);
	if (timeout_ms == 0)
		return -ETIMEDOUT;
	(void) snprintf(path, sizeof path, "/proc/self/fd/%d", p->dir);
	pid = fork();
	if (pid == 0)
		wait_in_child(path);
	if (pid < 0)
		return -errno;
	pidfd = proc_pidfd_open(pid);
	if (pidfd < 0)
		r = pidfd;
	else
		r = proc_wait_pidfd(pidfd, timeout_ms < 0 ? -1 : timeout_ms > INT32_MAX ? INT32_MAX : (int) timeout_ms);
	if (r < 0)
		(void) kill(pid, SIGKILL);
	st = proc_wait(pid);
	(void) fd_close(pidfd);
	if (r == 0 && st != 0)
		r = -EIO;
	return r;
}

int pod_move(struct pod *p, enum pod_phase to, bool durable, struct err *e)
{
	char from_path[64], to_path[64];

	(void) snprintf(from_path, sizeof from_path, "%s/%s", pod_phase_dir(p->phase), p->uuid);
	(void) snprintf(to_path, sizeof to_path, "%s/%s", pod_phase_dir(to), p->uuid);
	if (renameat(p->pods, from_path, p->pods, to_path) < 0)
		return err_sys(e, "move pod to %s", pod_phase_dir(to));
	p->phase = to;
	if (durable) {
		_cleanup_fd_ int parent = openat(p->pods, pod_phase_dir(to), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (parent < 0 || fsync(parent) < 0)
			return err_sys(e, "sync pods/%s", pod_phase_dir(to));
	}
	return 0;
}
