#include "stage0/image/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/proc.h"
#include "stage0/store/store.h"

#define ANSWER_VERSION 1
#define TICK_MS 200

struct job {
	pid_t pid; /* 0: not started, or ended */
	int answer;
};

static _noreturn_ void child(const struct crew *c, size_t i, int answer, pid_t parent)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	struct err why = ERR_INIT;
	int r;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	record_begin(&sb, ANSWER_VERSION);
	r = c->work(c->arg, i, &sb, &why);
	if (r < 0) {
		record_addf(&sb, "code", "%d", -r);
		record_add(&sb, "message", err_text(&why));
	}
	(void) write_all(answer, sb.buf, sb.len);
	_exit(0);
}

static int start(const struct crew *c, size_t i, struct job *job, struct err *e)
{
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	(void) fflush(NULL);
	job->pid = fork();
	if (job->pid == 0)
		child(c, i, fds[1], parent);
	job->answer = fds[0];
	(void) fd_close(fds[1]);
	if (job->pid < 0) {
		job->pid = 0;
		return err_sys(e, "fork");
	}
	return 0;
}

static int finish(const struct crew *c, size_t i, struct job *job, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	const char *message, *code;
	_cleanup_free_ char *how = NULL;
	int r = record_read(&rec, job->answer, ANSWER_VERSION, NULL), wstatus = proc_wait(job->pid);
	uint64_t n;

	job->pid = 0;
	job->answer = fd_close(job->answer);
	if (r < 0) {
		how = proc_describe(wstatus);
		return err_set(e, EIO, "fetching %s without an answer", how);
	}
	message = record_get(&rec, "message");
	code = record_get(&rec, "code");
	if (!message || !code)
		return c->done ? c->done(c->arg, i, &rec, e) : 0;
	return err_set(e, parse_u64(code, 4095, &n) == 0 && n ? (int) n : EIO, "%s", message);
}

/* The next of those that run to have an answer. */
static int wait_for_one(const struct crew *c, struct job *jobs, struct job **ret, struct err *e)
{
	_cleanup_free_ struct pollfd *fds = xcalloc(c->jobs, sizeof *fds);
	int n;

	for (size_t i = 0; i < c->jobs; i++)
		fds[i] = (struct pollfd) {.fd = jobs[i].answer, .events = POLLIN};
	while ((n = poll(fds, c->jobs, c->tick ? TICK_MS : -1)) <= 0) {
		if (n < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (c->tick)
			c->tick(c->arg);
	}
	for (size_t i = 0; i < c->jobs; i++)
		if (fds[i].revents) {
			*ret = &jobs[i];
			return 0;
		}
	return err_set(e, EIO, "poll: nothing is there");
}

/*
 * Kill what still runs, and wait for all of it: the workers die with their parents and become ours,
 * by PR_SET_CHILD_SUBREAPER, which is taken back since this process may become a pod's monitor.
 */
static void stop_all(const struct crew *c, struct job *jobs)
{
	for (size_t i = 0; i < c->jobs; i++) {
		if (jobs[i].pid > 0)
			(void) kill(jobs[i].pid, SIGKILL);
		jobs[i].answer = fd_close(jobs[i].answer);
	}
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	(void) store_tmp_sweep(c->store, NULL);
}

static int run_all(const struct crew *c, struct job *jobs, struct err *e)
{
	size_t started = 0, ended = 0;

	while (ended < c->jobs) {
		struct job *job = NULL;
		int r = 0;

		while (r == 0 && started < c->jobs && started - ended < c->at_once) {
			r = start(c, started, &jobs[started], e);
			started++;
		}
		if (r == 0)
			r = wait_for_one(c, jobs, &job, e);
		if (r == 0)
			r = finish(c, (size_t) (job - jobs), job, e);
		if (r < 0)
			return r;
		ended++;
	}
	return 0;
}

int crew_run(const struct crew *c, struct err *e)
{
	_cleanup_free_ struct job *jobs = xcalloc(c->jobs, sizeof *jobs);
	int was = 0, r;

	for (size_t i = 0; i < c->jobs; i++)
		jobs[i].answer = -EBADF;
	(void) prctl(PR_GET_CHILD_SUBREAPER, &was);
	(void) prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = run_all(c, jobs, e);
	if (r < 0)
		stop_all(c, jobs);
	(void) prctl(PR_SET_CHILD_SUBREAPER, was);
	return r;
}
