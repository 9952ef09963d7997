/*
 * Who am I: `stop` of the default stage1, executed in the directory of a running pod.  I ask the pod's
 * init to end the apps (or kill it, and with it every process of the pod), then wait, bounded, until the
 * pod's lock is free: that is when nothing of it is left running.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "contract/entry.h"
#include "contract/exit.h"
#include "contract/layout.h"
#include "stage1/entry/process.h"

/* What init gives an app between TERM and KILL, and its handler afterwards, where the pod says nothing. */
#define TERM_MS 10000
#define TERM_MAX_MS (24 * 3600 * 1000)
/* For the end of what was killed, and for what plugins undo. */
#define MARGIN_MS 10000
#define STEP_MS 10
#define STAT_MAX 4096

struct stop {
	int dir;
	const char *uuid;
	bool force;
	int64_t deadline;
	pid_t init_pid;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	struct timespec ts = {.tv_nsec = ms * 1000000L};

	(void) nanosleep(&ts, NULL);
}

/* Whether the pod has ended: then nobody holds its lock. */
static bool is_over(int dir)
{
	if (lock_fd(dir, LOCK_SHARED, false) < 0)
		return false;
	(void) lock_fd(dir, LOCK_UNLOCK, false);
	return true;
}

/*
 * The pod's init. It is written down before the apps start; a pod that is stopped earlier than that is
 * waited for.
 */
static int find_init(struct stop *s, struct err *e)
{
	pid_t pid;
	int r;

	while ((r = pod_read_pid(POD_PID, &pid, e)) == -ENOENT) {
		if (is_over(s->dir))
			return -ESRCH;
		if (now_ms() >= s->deadline)
			return err_set(e, ETIMEDOUT, "pod %s is not started yet", s->uuid);
		pause_ms(STEP_MS);
	}
	s->init_pid = pid;
	return r < 0 ? r : pod_process_open(pid, s->uuid, POD_INIT_LEAF, e);
}

/*
 * The monitor, which is init's parent for as long as init is not collected; -EBADF when that cannot be
 * told.
 */
static int find_monitor(const struct stop *s, int init)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int) s->init_pid), *text = NULL;
	const char *end;
	int ppid, fd;

	if (file_read_at(AT_FDCWD, path, STAT_MAX, &text, NULL, NULL) < 0)
		return -EBADF;
	/* "PID (NAME) STATE PPID ...": a name may hold anything (proc_pid_stat(5)). */
	end = strrchr(text, ')');
	if (!end || sscanf(end, ") %*c %d", &ppid) != 1 || ppid <= 1)
		return -EBADF;
	fd = proc_pidfd_open(ppid);
	/* The number was init's still when it was read. */
	if (fd >= 0 && proc_wait_pidfd(init, 0) == 0)
		fd = fd_close(fd);
	return fd < 0 ? -EBADF : fd;
}

static int64_t patience_ms(int dir)
{
	_cleanup_free_ char *line = NULL;
	int64_t ms = TERM_MS;

	if (file_read_line_at(dir, POD_STOP_TIMEOUT, &line, NULL) == 0)
		(void) parse_i64(line, 0, TERM_MAX_MS, &ms);
	return 2 * ms + MARGIN_MS;
}

static int stop(struct stop *s, struct err *e)
{
	_cleanup_fd_ int init = find_init(s, e), monitor = -EBADF;
	int r;

	if (init < 0 && !is_over(s->dir) && init != -ESRCH)
		return init;
	if (init >= 0) {
		monitor = find_monitor(s, init);
		r = proc_pidfd_kill(init, s->force ? SIGKILL : SIGTERM);
		if (r < 0 && r != -ESRCH)
			return err_sysr(e, r, "signal pod %s", s->uuid);
		(void) proc_wait_pidfd(init, (int) (s->deadline - now_ms()));
	}
	/* One that somebody has stopped would never come to that. */
	if (monitor >= 0)
		(void) proc_pidfd_kill(monitor, SIGCONT);
	/* The monitor takes back control groups and networks, and lets the lock go with its end. */
	while (!is_over(s->dir)) {
		if (now_ms() >= s->deadline)
			return err_set(e, ETIMEDOUT, "pod %s is not yet dead", s->uuid);
		pause_ms(STEP_MS);
	}
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_entry_args_ struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_fd_ int dir = -EBADF;
	struct stop s = {.dir = -EBADF};
	int r;

	fd_sanitize_stdio();
	log_init("gantry: stop");
	r = fds_init(&e);
	if (r == 0)
		r = entry_parse(ENTRY_STOP, argc, argv, &args, &e);
	log_set_debug(args.debug);
	if (r == 0) {
		dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		s = (struct stop) {dir, args.uuid, args.force, now_ms() + patience_ms(dir), 0};
		r = dir < 0 ? err_sys(&e, "open the pod directory") : stop(&s, &e);
	}
	if (r < 0)
		log_error("%s", err_text(&e));
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}
