#include "stage0/pod/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/record.h"
#include "base/str.h"
#include "contract/exit.h"
#include "stage0/pod/listen.h"
#include "stage0/pod/status.h"

#define MESSAGES_MAX (64 << 10)

/* This process becomes stage1. */
static int exec_stage1(const struct pod *p, const struct stage1 *s, char *const *argv, int error,
		       int ready, int sockets, struct err *e)
{
	_cleanup_strv_ char **env = stage1_environment(p->dir);
	struct fd_name fds[3 + LISTEN_MAX] = {{"lock", p->dir}, {"error", error}, {"ready", ready}};
	char names[LISTEN_MAX][sizeof "listen00"];
	size_t n = 3;

	/* Under their own numbers, where rkt's stage1 looks for them by LISTEN_FDS. */
	for (int i = 0; i < sockets; i++) {
		(void) snprintf(names[i], sizeof names[i], "listen%d", i);
		fds[n++] = (struct fd_name) {names[i], LISTEN_FIRST + i};
	}

	/* What an older stage1 does not know it would hold open for the life of the pod. */
	if (s->interface < ENTRY_VERSION_APPS)
		fds[1].fd = fds[2].fd = -EBADF;
	if (fchdir(p->dir) < 0)
		return err_sys(e, "change to the pod directory");
	return exec_fds(-EBADF, s->programs[ENTRY_RUN], argv, env, fds, n, e);
}

static void report(int error, const struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, 1);
	record_addf(&sb, "code", "%d", EXIT_FAILED);
	record_add(&sb, "message", err_text(e));
	(void) write_all(error, sb.buf, sb.len);
}

/*
 * Who am I: the detached pod's first process, in a session of its own, nobody's terminal.  What it
 * says goes to `said`, which outlives the caller.
 */
static _noreturn_ void detached(const struct pod *p, const struct stage1 *s, char *const *argv,
				int error, int ready, int said, int sockets)
{
	_cleanup_err_ struct err e = ERR_INIT;
	char pid[16];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void) setsid();
	(void) snprintf(pid, sizeof pid, "%d", (int) getpid());
	if (sockets > 0)
		(void) setenv("LISTEN_PID", pid, 1);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(said < 0 ? null : said, 2) < 0)
		err_sys(&e, "open /dev/null");
	else
		exec_stage1(p, s, argv, error, ready, sockets, &e);
	report(error, &e);
	_exit(EXIT_FAILED);
}

/*
 * The warnings of a start. A pipe would not do: what the pod's monitor and its plugins write later
 * must go somewhere when nobody reads it any more.
 */
static void pass_on(int said)
{
	char buf[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(said, buf, sizeof buf, at)) > 0) {
		size_t len = strnlen(buf, (size_t) n);

		(void) write_all(STDERR_FILENO, buf, len);
		at += (off_t) len;
		/* Where nobody has written yet. */
		if (len < (size_t) n)
			break;
	}
}

/*
 * The file for them: as large as it will ever be, since the pod may hold it for years. An older
 * stage1's apps may write to it themselves, and theirs is nobody's concern (-EBADF).
 */
static int open_messages(const struct stage1 *s)
{
	int fd = s->interface < ENTRY_VERSION_APPS
			 ? -EBADF
			 : memfd_create("messages", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, MESSAGES_MAX) < 0 ||
			fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0))
		return fd_close(fd);
	return fd;
}

/*
 * The start failed: its one line, and the status with which it would have ended in the foreground.
 */
static int read_failure(int error, int said, pid_t pid, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_free_ char *data = NULL, *text = NULL;
	const char *message = NULL;
	size_t len;
	int r = read_all(error, RECORD_MAX, &data, &len), st = proc_wait(pid);

	pass_on(said);
	if (st < 0)
		return err_sysr(e, st, "wait for the pod");
	if (r == 0 && len && record_parse(&rec, take_ptr(data), len, 1, NULL) == 0)
		message = record_get(&rec, "message");
	if (!message) {
		text = proc_describe(st);
		return err_set(e, ESRCH, "the pod ended before it was ready: its first process %s",
			       text);
	}
	/* Part of it may be an image's word. */
	text = str_escape(message, strlen(message));
	log_error("%s", text);
	return proc_status(st) ? proc_status(st) : EXIT_FAILED;
}

/*
 * A stage1 of rkt's contract says nothing when it is ready: then the pod is there as soon as its
 * first process is known. The error pipe ends with the exec.
 */
static int wait_first_process(const struct pod *p, int error, int said, pid_t pid,
			      struct err *e)
{
	const struct timespec tick = {.tv_nsec = 50 * 1000 * 1000};
	_cleanup_fd_ int pidfd = proc_pidfd_open(pid);
	struct pollfd closed = {.fd = error, .events = POLLIN};
	pid_t first;

	if (pidfd < 0)
		return err_sysr(e, pidfd, "watch the pod");
	while (poll(&closed, 1, -1) < 0 && errno == EINTR)
		continue;
	if (closed.revents & POLLIN)
		return read_failure(error, said, pid, e);
	while (pod_pid(p, &first, NULL) < 0) {
		if (proc_wait_pidfd(pidfd, 0) == 0)
			return read_failure(error, said, pid, e);
		(void) nanosleep(&tick, NULL);
	}
	return 0;
}

int pod_start_detached(const struct pod *p, const struct stage1 *s, char *const *argv,
		       struct err *e)
{
	_cleanup_fd_ int said = open_messages(s);
	int ready[2] = {-EBADF, -EBADF}, error[2] = {-EBADF, -EBADF}, r = 0;
	int sockets = listen_sockets(e);
	pid_t pid = -1;
	char c;

	if (sockets < 0)
		return sockets;
	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0)
		r = err_sys(e, "pipe");
	if (r == 0) {
		pid = fork();
		if (pid == 0)
			detached(p, s, argv, error[1], ready[1], said, sockets);
		if (pid < 0)
			r = err_sys(e, "fork");
	}
	(void) fd_close(ready[1]);
	(void) fd_close(error[1]);
	if (r == 0 && s->interface < ENTRY_VERSION_APPS)
		r = wait_first_process(p, error[0], said, pid, e);
	else if (r == 0 && read_exact(ready[0], &c, 1) != 1)
		r = read_failure(error[0], said, pid, e);
	if (r == 0) {
		pass_on(said);
		printf("%s\n", p->uuid);
	}
	(void) fd_close(ready[0]);
	(void) fd_close(error[0]);
	return r;
}

int pod_start(const struct pod *p, const struct stage1 *s, char *const *argv, struct err *e)
{
	int sockets = listen_sockets(e);

	return sockets < 0 ? sockets : exec_stage1(p, s, argv, -EBADF, -EBADF, sockets, e);
}
