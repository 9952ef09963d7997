/*
 * Waiting for a pod.  Its end is the end of a lock, which no file tells of; its other changes are
 * seen by inotify(7), with a look once a second besides, since a lock may go without any file
 * changing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/proc.h"
#include "contract/layout.h"
#include "stage0/pod/status.h"

#define LOOK_MS 1000

/* A moment that does not move when somebody sets the clock; -1: never. */
static int64_t deadline_after(int64_t timeout_ms)
{
	struct timespec ts;
	int64_t sum;

	if (timeout_ms < 0)
		return -1;
	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	if (__builtin_add_overflow((int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000, timeout_ms,
				   &sum))
		return -1;
	return sum;
}

static int64_t left_until(int64_t deadline)
{
	int64_t left = deadline < 0 ? INT64_MAX : deadline - deadline_after(0);

	return left < 0 ? 0 : left;
}

/* Who am I: a child that sleeps in flock(2) for its parent, which waits for it with a deadline. */
static _noreturn_ void wait_in_child(const struct pod *p, pid_t parent)
{
	_cleanup_fd_ int fd = -EBADF;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	/* A description of its own: a lock belongs to that. */
	fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_exit(fd >= 0 && lock_fd(fd, LOCK_SHARED, true) == 0 ? 0 : 1);
}

static int wait_for_child(pid_t pid, int64_t deadline)
{
	_cleanup_fd_ int pidfd = proc_pidfd_open(pid);
	int r = pidfd < 0 ? pidfd : -ETIMEDOUT;

	while (r == -ETIMEDOUT) {
		int64_t left = left_until(deadline);

		r = proc_wait_pidfd(pidfd, left > INT32_MAX ? INT32_MAX : (int) left);
		if (r == -ETIMEDOUT && !left_until(deadline))
			break;
	}
	return r;
}

/*
 * flock(2) has no deadline, and a signal handler would belong to the whole program: a child waits
 * for the lock, and is ended when the time is over.
 */
int pod_wait_unlocked(const struct pod *p, int64_t timeout_ms)
{
	pid_t pid, parent = getpid();
	int st, r;

	if (lock_fd(p->dir, LOCK_SHARED, false) == 0)
		return lock_fd(p->dir, LOCK_UNLOCK, false);
	if (timeout_ms == 0)
		return -ETIMEDOUT;
	pid = fork();
	if (pid == 0)
		wait_in_child(p, parent);
	if (pid < 0)
		return -errno;
	r = wait_for_child(pid, deadline_after(timeout_ms));
	if (r < 0)
		(void) kill(pid, SIGKILL);
	st = proc_wait(pid);
	return r == 0 && st != 0 ? -EIO : r;
}

/* Watch a directory by its descriptor: by name it may be another one by now. */
static int watch(int in, int dir, const char *sub, uint32_t events)
{
	char path[64 + sizeof POD_STARTED];

	(void) snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, sub);
	return inotify_add_watch(in, path, events) < 0 ? -errno : 0;
}

/* Until something changed, or it is time to look again. */
static void wait_change(int in, int64_t deadline)
{
	struct pollfd p = {.fd = in, .events = POLLIN};
	int64_t left = left_until(deadline);
	char events[4096];

	if (poll(&p, 1, left > LOOK_MS ? LOOK_MS : (int) left) > 0)
		(void) !read(in, events, sizeof events);
}

static bool has_ended(const struct pod *p)
{
	return p->phase >= PHASE_EXITED_GARBAGE || p->state == POD_STATE_EXITED ||
	       p->state == POD_STATE_ABORTED_PREPARE;
}

int pod_wait_ended(const struct pod *p, int64_t timeout_ms, struct err *e)
{
	_cleanup_fd_ int in = inotify_init1(IN_CLOEXEC);
	int64_t deadline = deadline_after(timeout_ms);

	if (in < 0)
		return err_sys(e, "watch the pod");
	(void) watch(in, p->dir, ".", IN_MOVE_SELF);
	for (;;) {
		_cleanup_pod_ struct pod now = POD_INIT;
		int r = pod_open(p->pods, p->uuid, &now, e);

		if (r < 0)
			return r;
		if (has_ended(&now))
			return 0;
		if (!left_until(deadline))
			return err_set(e, ETIMEDOUT, "timeout while waiting for the pod to exit");
		if (!pod_phase_has_owner(now.phase)) {
			wait_change(in, deadline);
			continue;
		}
		r = pod_wait_unlocked(&now, deadline < 0 ? -1 : left_until(deadline));
		if (r < 0 && r != -ETIMEDOUT)
			return err_sysr(e, r, "wait for the pod");
	}
}

/* Of all apps, or of the one. */
static bool has_started(const struct pod *p, const char *app)
{
	_cleanup_pod_status_ struct pod_status s = {0};

	if (pod_status_read(p, &s, NULL) < 0 || !s.n_apps)
		return false;
	for (size_t i = 0; i < s.n_apps; i++)
		if ((!app || !strcmp(app, s.apps[i].app->name)) && !s.apps[i].started_ns &&
		    s.apps[i].exit_code < 0)
			return false;
	/* There is a pod as soon as its first process is known; of rkt's contract nothing else is. */
	return s.pid != 0;
}

int pod_wait_ready(const struct pod *p, const char *app, int64_t timeout_ms, struct err *e)
{
	_cleanup_fd_ int in = inotify_init1(IN_CLOEXEC);
	int64_t deadline = deadline_after(timeout_ms);

	if (in < 0)
		return err_sys(e, "watch the pod");
	(void) watch(in, p->dir, ".", IN_CREATE | IN_MOVED_TO | IN_MOVE_SELF);
	for (;;) {
		_cleanup_pod_ struct pod now = POD_INIT;
		int r;

		/*
		 * Not there at first; watched before we look, so that nothing is missed in between.
		 */
		(void) watch(in, p->dir, POD_STARTED, IN_CREATE | IN_MOVED_TO);
		r = pod_open(p->pods, p->uuid, &now, e);
		if (r < 0)
			return r;
		if (has_started(&now, app))
			return 0;
		if (has_ended(&now))
			return err_set(e, ESRCH, "the pod ended before it was ready");
		if (!left_until(deadline))
			return err_set(e, ETIMEDOUT,
				       "timeout while waiting for the pod to be ready");
		wait_change(in, deadline);
	}
}
