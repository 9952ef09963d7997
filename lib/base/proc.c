#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#define SYS_pidfd_send_signal 424
#endif

int proc_pidfd_open(pid_t pid)
{
	int fd = (int) syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int proc_pidfd_kill(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int proc_wait(pid_t pid)
{
	int st;

	while (waitpid(pid, &st, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return st;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What is left of a deadline that started at `start`; -1 for no deadline. */
static int left_ms(int64_t start, int timeout_ms)
{
	int64_t left;

	if (timeout_ms < 0)
		return -1;
	left = start + timeout_ms - now_ms();
	return left < 0 ? 0 : (int) left;
}

int proc_wait_pidfd(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int64_t start = now_ms();

	for (;;) {
		int n = poll(&p, 1, left_ms(start, timeout_ms));

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

int proc_status(int wstatus)
{
	return WIFSIGNALED(wstatus) ? 128 + WTERMSIG(wstatus) : WEXITSTATUS(wstatus);
}

char *proc_describe(int wstatus)
{
	if (WIFSIGNALED(wstatus))
		return xasprintf("was killed by signal %d (%s)", WTERMSIG(wstatus), strsignal(WTERMSIG(wstatus)));
	return xasprintf("exited with status %d", WEXITSTATUS(wstatus));
}

/* Put `fd` on 0, 1 or 2. */
static int place(int fd, int at)
{
	if (fd == at)
		return fd_set_cloexec(fd, false);
	return dup2(fd, at) < 0 ? -errno : 0;
}

/* Who am I: the child between fork and exec.  Reports {negative errno, text} on `report` and ends. */
static _noreturn_ void child(const struct spawn *sp, int report, pid_t parent)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	int null = -EBADF, in, out, errfd, r;
	sigset_t none;

	sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
	(void) sigaction(SIGPIPE, &dfl, NULL);
	if (sp->die_with_parent && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(254);
	if (sp->own_group)
		(void) setpgid(0, 0);
	if (sp->in < 0)
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Copies above 2 first, so that no target is overwritten before it was placed. */
	in = fd_copy(sp->in >= 0 ? sp->in : null);
	out = sp->out >= 0 ? fd_copy(sp->out) : STDOUT_FILENO;
	errfd = sp->err >= 0 ? fd_copy(sp->err) : STDERR_FILENO;
	if (in < 0 || out < 0 || errfd < 0 || place(in, 0) < 0 || place(out, 1) < 0 || place(errfd, 2) < 0)
		r = err_sys(&e, "place standard streams of %s", sp->argv[0]);
	else if (sp->cwd_fd >= 0 && fchdir(sp->cwd_fd) < 0)
		r = err_sys(&e, "change directory");
	else
		r = exec_fds(sp->path_fd, sp->path, sp->argv, sp->env, sp->fds, sp->n_fds, &e);
	(void) !write(report, &r, sizeof r);
	(void) !write(report, err_text(&e), strlen(err_text(&e)));
	_exit(254);
}

pid_t proc_spawn(const struct spawn *sp, int *ret_pidfd, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int pipefd[2], r = 0;
	pid_t pid, parent = getpid();
	ssize_t n;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid = fork();
	if (pid == 0)
		child(sp, pipefd[1], parent);
	(void) fd_close(pipefd[1]);
	if (pid < 0) {
		(void) fd_close(pipefd[0]);
		return err_sys(e, "fork");
	}
	n = read_exact(pipefd[0], &r, sizeof r);
	if (n == sizeof r) {
		if (read_all(pipefd[0], 65536, &text, NULL) < 0)
			text = xstrdup("exec failed");
		(void) proc_wait(pid);
		(void) fd_close(pipefd[0]);
		return err_set(e, -r, "%s", text);
	}
	(void) fd_close(pipefd[0]);
	if (ret_pidfd) {
		*ret_pidfd = proc_pidfd_open(pid);
		if (*ret_pidfd < 0) {
			r = *ret_pidfd;
			(void) kill(pid, SIGKILL);
			(void) proc_wait(pid);
			return err_sysr(e, r, "pidfd_open");
		}
	}
	return pid;
}

/* One stream that is being collected. */
struct sink {
	int fd;
	struct strbuf sb;
	size_t limit;
	bool cut; /* past the limit: drop the rest rather than fail */
};

static int sink_read(struct sink *s)
{
	char buf[16384];
	ssize_t n = read(s->fd, buf, sizeof buf);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0) {
		s->fd = fd_close(s->fd);
		return 0;
	}
	if (s->sb.len + (size_t) n > s->limit) {
		if (!s->cut)
			return -EFBIG;
		n = (ssize_t) (s->limit - s->sb.len);
	}
	strbuf_add(&s->sb, buf, (size_t) n);
	return 0;
}

struct pump {
	int in;
	const char *input;
	size_t left;
	struct sink out, err;
	int pidfd;
};

static int pump_write(struct pump *p)
{
	ssize_t n = write(p->in, p->input, p->left);

	/* A program need not read its input. */
	if (n < 0 && errno != EINTR && errno != EAGAIN)
		n = (ssize_t) p->left;
	if (n > 0) {
		p->input += n;
		p->left -= (size_t) n;
	}
	if (!p->left)
		p->in = fd_close(p->in);
	return 0;
}

/* Until both streams are closed and the process is gone. A grandchild that keeps a stream open does not hold us. */
static int pump_run(struct pump *p, int timeout_ms)
{
	int64_t start = now_ms();
	bool ended = false;

	while (!ended || p->out.fd >= 0 || p->err.fd >= 0) {
		struct pollfd fds[4] = {
			{.fd = p->in, .events = POLLOUT},
			{.fd = p->out.fd, .events = POLLIN},
			{.fd = p->err.fd, .events = POLLIN},
			{.fd = ended ? -1 : p->pidfd, .events = POLLIN},
		};
		int wait = left_ms(start, timeout_ms);
		int n = poll(fds, 4, ended && (wait < 0 || wait > 200) ? 200 : wait), r = 0;

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return ended ? 0 : -ETIMEDOUT;
		if (n < 0)
			continue;
		if (fds[0].revents)
			r = pump_write(p);
		if (r == 0 && fds[1].revents)
			r = sink_read(&p->out);
		if (r == 0 && fds[2].revents)
			r = sink_read(&p->err);
		if (r < 0)
			return r;
		if (fds[3].revents)
			ended = true;
		/* Who never stops talking keeps poll(2) from ever timing out. */
		if (timeout_ms >= 0 && !left_ms(start, timeout_ms))
			return ended ? 0 : -ETIMEDOUT;
	}
	return 0;
}

/* Three pipes, or none. */
static int open_pipes(int pipes[3][2], struct err *e)
{
	for (int i = 0; i < 3; i++) {
		int r;

		if (pipe2(pipes[i], O_CLOEXEC) == 0)
			continue;
		r = err_sys(e, "pipe");
		while (i-- > 0) {
			(void) fd_close(pipes[i][0]);
			(void) fd_close(pipes[i][1]);
		}
		return r;
	}
	return 0;
}

int proc_run(struct spawn *sp, struct proc_io *io, struct err *e)
{
	int pipes[3][2], *in = pipes[0], *out = pipes[1], *errp = pipes[2], st, r;
	struct pump p = {.pidfd = -EBADF};
	pid_t pid;

	io->out = io->err = NULL;
	io->out_len = io->err_len = 0;
	r = open_pipes(pipes, e);
	if (r < 0)
		return r;
	sp->in = in[0];
	sp->out = out[1];
	sp->err = errp[1];
	sp->own_group = true;
	pid = proc_spawn(sp, &p.pidfd, e);
	(void) fd_close(in[0]);
	(void) fd_close(out[1]);
	(void) fd_close(errp[1]);
	p.in = in[1];
	p.input = io->input;
	p.left = io->input_len;
	p.out = (struct sink) {.fd = out[0], .limit = io->out_limit};
	p.err = (struct sink) {.fd = errp[0], .limit = io->err_limit, .cut = true};
	if (pid < 0) {
		r = pid;
	} else {
		struct sigaction ign = {.sa_handler = SIG_IGN}, old;

		/* The program may close its input early. */
		(void) sigaction(SIGPIPE, &ign, &old);
		(void) fd_set_nonblock(p.in);
		if (!p.left)
			p.in = fd_close(p.in);
		r = pump_run(&p, io->timeout_ms);
		(void) sigaction(SIGPIPE, &old, NULL);
		/* What it left behind goes with it, unless all went well: a daemon may be meant to stay. */
		if (r < 0) {
			(void) kill(-pid, SIGKILL);
			/* It may have moved to another group, and we are about to wait for it. */
			(void) proc_pidfd_kill(p.pidfd, SIGKILL);
		}
		st = proc_wait(pid);
		if (r == -ETIMEDOUT)
			err_set(e, ETIMEDOUT, "%s: no answer within %d ms", sp->argv[0], io->timeout_ms);
		else if (r == -EFBIG)
			err_set(e, EFBIG, "%s: more than %zu bytes of output", sp->argv[0], io->out_limit);
		else if (r < 0)
			err_sysr(e, r, "%s", sp->argv[0]);
		else
			r = st;
	}
	(void) fd_close(p.in);
	(void) fd_close(p.out.fd);
	(void) fd_close(p.err.fd);
	(void) fd_close(p.pidfd);
	io->out_len = p.out.sb.len;
	io->out = strbuf_take(&p.out.sb);
	io->err_len = p.err.sb.len;
	io->err = strbuf_take(&p.err.sb);
	return r;
}
