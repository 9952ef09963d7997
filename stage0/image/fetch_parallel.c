/*
 * Several images at a time: a process for each, so that one download's waiting is another's work,
 * and so that stopping one is a signal.
 *
 * What a stopped process had under way is a directory in cas/tmp that nobody holds any more; it is
 * swept away here, once the workers are dead that could still write to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/proc.h"
#include "base/record.h"
#include "base/str.h"
#include "stage0/image/internal.h"

#define AT_ONCE 3 /* each has an unpack and a verify that want processors as well */
#define ANSWER_VERSION 1

struct job {
	struct image_word *word;
	pid_t pid; /* 0: not started, or ended */
	int answer;
};

static void tell(int fd, const char *id, int r, const struct err *why)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	record_begin(&sb, ANSWER_VERSION);
	if (r == 0) {
		record_add(&sb, "id", id);
	} else {
		record_addf(&sb, "code", "%d", -r);
		record_add(&sb, "message", err_text(why));
	}
	(void) write_all(fd, sb.buf, sb.len);
}

static _noreturn_ void child(const struct request *rq, const struct image_word *word, int answer,
			     pid_t parent)
{
	struct request own = *rq;
	struct err why = ERR_INIT;
	char *id = NULL;
	int r;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Two bars cannot share a line. */
	own.no_bar = true;
	r = image_fetch_word(&own, word, &id, &why);
	tell(answer, id, r, &why);
	_exit(0);
}

static int start(const struct request *rq, struct job *job, struct err *e)
{
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	(void) fflush(NULL);
	job->pid = fork();
	if (job->pid == 0)
		child(rq, job->word, fds[1], parent);
	job->answer = fds[0];
	(void) fd_close(fds[1]);
	if (job->pid < 0) {
		job->pid = 0;
		return err_sys(e, "fork");
	}
	return 0;
}

static int read_answer(struct job *job, struct err *e)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	const char *id, *message, *code;
	_cleanup_free_ char *how = NULL;
	int r = record_read(&rec, job->answer, ANSWER_VERSION, NULL), wstatus = proc_wait(job->pid);
	uint64_t n;

	job->pid = 0;
	job->answer = fd_close(job->answer);
	id = r < 0 ? NULL : record_get(&rec, "id");
	message = r < 0 ? NULL : record_get(&rec, "message");
	code = r < 0 ? NULL : record_get(&rec, "code");
	if (id && !image_id_check(id)) {
		job->word->id = xstrdup(id);
		return 0;
	}
	if (message && code && parse_u64(code, 4095, &n) == 0 && n)
		return err_set(e, (int) n, "%s", message);
	how = proc_describe(wstatus);
	return err_set(e, EIO, "image %s: fetching it %s without an answer", q(job->word->text),
		       how);
}

/* The next of those that run to have an answer. */
static struct job *wait_for_one(struct job *jobs, size_t n, struct err *e)
{
	_cleanup_free_ struct pollfd *fds = xcalloc(n, sizeof *fds);

	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd) {.fd = jobs[i].answer, .events = POLLIN};
	while (poll(fds, n, -1) < 0)
		if (errno != EINTR) {
			err_sys(e, "poll");
			return NULL;
		}
	for (size_t i = 0; i < n; i++)
		if (fds[i].revents)
			return &jobs[i];
	err_set(e, EIO, "poll: nothing is there");
	return NULL;
}

/*
 * Kill what still runs, and wait for all of it: the workers die with their parents and become ours,
 * by PR_SET_CHILD_SUBREAPER, which is taken back since this process may become a pod's monitor.
 */
static void stop_all(const struct request *rq, struct job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].pid > 0)
			(void) kill(jobs[i].pid, SIGKILL);
		jobs[i].answer = fd_close(jobs[i].answer);
	}
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	(void) store_tmp_sweep(rq->store, NULL);
}

static int run_all(const struct request *rq, struct job *jobs, size_t n, struct err *e)
{
	size_t started = 0, ended = 0;

	while (ended < n) {
		struct job *job;
		int r = 0;

		while (r == 0 && started < n && started - ended < AT_ONCE)
			r = start(rq, &jobs[started++], e);
		if (r < 0)
			return r;
		job = wait_for_one(jobs, n, e);
		if (!job)
			return -EIO;
		r = read_answer(job, e);
		if (r < 0)
			return r;
		ended++;
	}
	return 0;
}

int image_fetch_parallel(const struct request *rq, struct image_word *const *words, size_t n,
			 struct err *e)
{
	_cleanup_free_ struct job *jobs = xcalloc(n, sizeof *jobs);
	int was = 0, r;

	for (size_t i = 0; i < n; i++)
		jobs[i] = (struct job) {.word = words[i], .answer = -EBADF};
	(void) prctl(PR_GET_CHILD_SUBREAPER, &was);
	(void) prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = run_all(rq, jobs, n, e);
	if (r < 0)
		stop_all(rq, jobs, n);
	(void) prctl(PR_SET_CHILD_SUBREAPER, was);
	return r;
}
