/*
 * Ending the processes of a control group, and removing directories of control groups.  No
 * detection and no JSON: also for the programs inside pods, which have nothing but descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "sys/cgroup.h"

/* Processes that cannot be killed at once (uninterruptible sleep) are given this long. */
#define KILL_ROUNDS 200
#define ROUND_NS 10000000

static void pause_ns(long ns)
{
	struct timespec ts = {.tv_nsec = ns};

	(void) nanosleep(&ts, NULL);
}

/*
 * Send SIGKILL to every process listed in a buffer of lines; returns how many lines were complete.
 */
static int kill_lines(char *buf, size_t *len)
{
	char *line = buf, *end;
	int n = 0;

	while ((end = memchr(line, '\n', *len - (size_t) (line - buf)))) {
		pid_t pid;

		*end = '\0';
		/*
		 * "0": a process of another pid namespace, which is not ours to kill and not in a
		 * pod's group.
		 */
		if (parse_pid(line, &pid) == 0)
			(void) kill(pid, SIGKILL);
		n++;
		line = end + 1;
	}
	*len -= (size_t) (line - buf);
	memmove(buf, line, *len);
	return n;
}

/* Kill all that is listed in cgroup.procs; returns how many, or -errno. */
static int kill_listed(int dir)
{
	_cleanup_fd_ int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char buf[4096];
	size_t len = 0;
	int count = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, buf + len, sizeof buf - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return count;
		len += (size_t) n;
		count += kill_lines(buf, &len);
	}
}

static bool is_empty(int dir)
{
	_cleanup_fd_ int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char c;

	return fd < 0 || read(fd, &c, 1) <= 0;
}

static int tell(int dir, const char *file, int control, const char *word)
{
	size_t len = strlen(word);

	if (control < 0)
		return file_poke_at(dir, file, word);
	return write(control, word, len) == (ssize_t) len ? 0 : -EIO;
}

/*
 * v1: what is frozen cannot fork, so that the list is complete; the signal takes effect with the
 * thaw.
 */
static int kill_v1(int dir, int control)
{
	for (int i = 0; i < KILL_ROUNDS; i++) {
		int n;

		(void) tell(dir, CG_FREEZE_V1, control, "FROZEN");
		n = kill_listed(dir);
		(void) tell(dir, CG_FREEZE_V1, control, "THAWED");
		if (n <= 0)
			return n;
		/* Once more at once: mostly they are gone by then. */
		if (is_empty(dir))
			return 0;
		pause_ns(i < 10 ? ROUND_NS / 10 : ROUND_NS);
	}
	return -EBUSY;
}

/*
 * v2: cgroup.kill (Linux 5.14) is one atomic step; without it, kill by list until the list stays
 * empty.
 */
static int kill_v2(int dir, int control)
{
	bool atomic = tell(dir, CG_KILL_V2, control, "1") == 0;

	for (int i = 0; i < KILL_ROUNDS; i++) {
		if (!atomic && kill_listed(dir) < 0)
			return 0;
		if (is_empty(dir))
			return 0;
		pause_ns(i < 10 ? ROUND_NS / 10 : ROUND_NS);
	}
	return -EBUSY;
}

int cg_kill_leaf(int dir, int freezer, int control)
{
	if (dir < 0 && freezer < 0)
		return -EBADF;
	/* Mostly nothing is left of an app: then neither freezing nor waiting. */
	if (is_empty(dir >= 0 ? dir : freezer))
		return 0;
	return dir >= 0 ? kill_v2(dir, control) : kill_v1(freezer, control);
}

static int remove_dir(const char *path, int *left_ms, struct err *e)
{
	while (rmdir(path) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		/* A group is busy until the last process that exits has left it. */
		if (errno != EBUSY || *left_ms <= 0)
			return err_sys(e, "rmdir %s", path);
		pause_ns(1000000);
		(*left_ms)--;
	}
	return 0;
}

int cg_remove_listed(const char *list, int timeout_ms, struct err *e)
{
	int r = 0;

	while (*list) {
		size_t n = strcspn(list, "\n");
		_cleanup_free_ char *path = xstrndup(list, n);
		_cleanup_err_ struct err one = ERR_INIT;

		list += n + (list[n] == '\n');
		if (*path != '/')
			continue;
		/* All of them are tried; the first failure is the one that is told. */
		if (remove_dir(path, &timeout_ms, &one) < 0 && r == 0)
			r = err_move(e, &one);
	}
	return r;
}

void cg_remove_top(const char *list)
{
	static const char top[] = "/gantry/";

	while (*list) {
		size_t n = strcspn(list, "\n");
		_cleanup_free_ char *path = xstrndup(list, n);
		char *end = strstr(path, top);

		list += n + (list[n] == '\n');
		if (!end)
			continue;
		end[sizeof top - 2] = '\0';
		/* Another pod is in it: then it stays. */
		(void) rmdir(path);
	}
}
