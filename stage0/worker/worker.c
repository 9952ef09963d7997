#include "stage0/worker/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "stage0/context.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WORKER_TALKS true /* a sanitizer's report must be seen */
#else
#define WORKER_TALKS false
#endif

/* The environment is built from nothing; proxies and certificates are for fetch, and harmless to the others. */
static char **make_env(bool debug)
{
	static const char *const keep[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
	};
	const char *proxy = getenv("HTTP_PROXY");
	char **env = NULL;

	strv_add(&env, "PATH=/usr/bin:/bin");
	strv_add(&env, "LC_ALL=C.UTF-8");
	if (debug)
		strv_add(&env, "GANTRY_DEBUG=1");
	for (size_t i = 0; i < ELEMENTSOF(keep); i++)
		if (getenv(keep[i]) && *getenv(keep[i]))
			strv_push(&env, xasprintf("%s=%s", keep[i], getenv(keep[i])));
	/* libcurl does not look at it, since a CGI's client can set it (CVE-2016-5385); rkt did. */
	if (proxy && *proxy && !getenv("http_proxy") && !getenv("REQUEST_METHOD"))
		strv_push(&env, xasprintf("http_proxy=%s", proxy));
	return env;
}

int worker_start(const struct gantry *g, const char *name, char *const *words, const struct fd_name *fds, size_t n,
		 struct worker *ret, struct err *e)
{
	_cleanup_free_ char *path = path_join(g->libexec, name);
	_cleanup_free_ struct fd_name *all = xcalloc(n + 1, sizeof *all);
	_cleanup_strv_ char **argv = NULL, **env = make_env(g->debug);
	_cleanup_fd_ int null = -EBADF;
	struct spawn sp = SPAWN_INIT;
	int result[2];
	pid_t pid;

	if (pipe2(result, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	strv_add(&argv, name);
	for (size_t i = 0; i < strv_len(words); i++)
		strv_add(&argv, words[i]);
	if (n)
		memcpy(all, fds, n * sizeof *all);
	all[n] = (struct fd_name) {"result", result[1]};
	sp.path = path;
	sp.argv = argv;
	sp.env = env;
	sp.out = null;
	sp.err = g->debug || WORKER_TALKS ? -EBADF : null;
	sp.fds = all;
	sp.n_fds = n + 1;
	sp.die_with_parent = true;
	sp.own_group = true;
	*ret = (struct worker) {.name = name, .pidfd = -EBADF, .result = result[0]};
	pid = proc_spawn(&sp, &ret->pidfd, e);
	(void) fd_close(result[1]);
	if (pid < 0) {
		ret->result = fd_close(ret->result);
		return err_ctx(e, pid, "start %s", path);
	}
	ret->pid = pid;
	return 0;
}

int worker_start_text(const struct gantry *g, const struct worker_text *job, struct worker *ret, char **ret_text,
		      size_t *ret_len, struct err *e)
{
	struct fd_name all[WORKER_TEXT_FDS + 1];
	_cleanup_fd_ int from = -EBADF, to = -EBADF;
	int fds[2], r;

	assert(job->n <= WORKER_TEXT_FDS);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	from = fds[0];
	to = fds[1];
	memcpy(all, job->fds, job->n * sizeof *all);
	all[job->n] = (struct fd_name) {job->out, to};
	r = worker_start(g, job->name, job->words, all, job->n + 1, ret, e);
	if (r < 0)
		return r;
	/* Ours would keep the end from being seen. */
	to = fd_close(to);
	r = read_all(from, job->limit, ret_text, ret_len);
	return r < 0 ? err_sysr(e, r, "read what %s writes", job->name) : 0;
}

void worker_kill(struct worker *w)
{
	if (w->pid > 0) {
		(void) kill(-w->pid, SIGKILL);
		(void) proc_pidfd_kill(w->pidfd, SIGKILL);
		(void) proc_wait(w->pid);
	}
	w->pid = 0;
	w->pidfd = fd_close(w->pidfd);
	w->result = fd_close(w->result);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Everything it writes until it closes its end, within the deadline. */
static int read_answer(struct worker *w, int fd, int64_t deadline, struct strbuf *sb, struct err *e)
{
	char buf[16384];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		int n = poll(&p, 1, left > 0 ? (int) left : 0);
		ssize_t got;

		if (n == 0)
			return err_set(e, ETIMEDOUT, "image %s gave no answer in time", w->name);
		got = n < 0 ? -1 : read(fd, buf, sizeof buf);
		if (got < 0 && errno != EINTR)
			return err_sys(e, "answer of image %s", w->name);
		if (got == 0)
			return 0;
		if (got < 0)
			continue;
		if (sb->len + (size_t) got > WORKER_RESULT_MAX)
			return err_set(e, EFBIG, "image %s: answer too large", w->name);
		strbuf_add(sb, buf, (size_t) got);
	}
}

/* How it ended, when that is the news. */
static int describe_end(const struct worker *w, int wstatus, struct err *e)
{
	_cleanup_free_ char *how = NULL;

	if (WIFSIGNALED(wstatus)) {
		switch (WTERMSIG(wstatus)) {
		case SIGKILL:
		case SIGABRT:
			return err_set(e, ENOMEM, "image %s was killed (out of memory?)", w->name);
		case SIGXCPU:
			return err_set(e, ETIMEDOUT, "image %s used up its processor time", w->name);
		case SIGXFSZ:
			return err_set(e, EFBIG, "image %s: a file is larger than the limit", w->name);
		case SIGSYS:
			return err_set(e, EPERM, "image %s made a system call that it may not make", w->name);
		}
	}
	how = proc_describe(wstatus);
	return err_set(e, EIO, "image %s %s without an answer", w->name, how);
}

static int decode(const struct worker *w, struct strbuf *sb, int wstatus, struct record *ret, struct err *e)
{
	_cleanup_err_ struct err why = ERR_INIT;
	_cleanup_free_ char *shown = NULL;
	const char *code, *message;
	size_t len = sb->len;
	uint64_t n;
	int r;

	if (!len)
		return describe_end(w, wstatus, e);
	r = record_parse(ret, strbuf_take(sb), len, WORKER_RECORD_VERSION, &why);
	if (r < 0) {
		record_done(ret);
		return err_set(e, EPROTO, "image %s gave a malformed answer", w->name);
	}
	code = record_get(ret, "code");
	message = record_get(ret, "message");
	if (!code)
		return wstatus == 0 ? 0 : describe_end(w, wstatus, e);
	if (parse_u64(code, 4095, &n) < 0 || n == 0)
		n = EPROTO;
	shown = str_escape(message ? message : "", message ? strlen(message) : 0);
	return err_set(e, (int) n, "%.2000s", shown);
}

int worker_finish(struct worker *w, int timeout_ms, struct record *ret, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int64_t deadline = now_ms() + timeout_ms;
	int r = read_answer(w, w->result, deadline, &sb, e), wstatus;

	*ret = (struct record) RECORD_INIT;
	if (r == 0) {
		int64_t left = deadline - now_ms();

		r = proc_wait_pidfd(w->pidfd, left > 0 ? (int) left : 0);
		if (r < 0)
			r = err_sysr(e, r, "end of image %s", w->name);
	}
	if (r < 0) {
		worker_kill(w);
		return r;
	}
	wstatus = proc_wait(w->pid);
	w->pid = 0;
	worker_kill(w);
	r = decode(w, &sb, wstatus, ret, e);
	if (r < 0)
		record_done(ret);
	return r;
}

int worker_answer(struct worker *w, int fd, int timeout_ms, struct record *ret, bool *ret_gone, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int r = read_answer(w, fd, now_ms() + timeout_ms, &sb, e);

	*ret = (struct record) RECORD_INIT;
	*ret_gone = r < 0 || !sb.len;
	if (r < 0)
		return r;
	if (!sb.len) /* it ended without a word, or is about to */
		return worker_finish(w, timeout_ms, ret, e) < 0 ?
			       -EPIPE : err_set(e, EPIPE, "image %s ended without an answer", w->name);
	r = decode(w, &sb, 0, ret, e);
	if (r < 0)
		record_done(ret);
	return r;
}
