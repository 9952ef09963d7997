/*
 * Who am I: the process that was `gantry run`, on the host, after stage1/run has said go.  I hold
 * the pod's lock; when I die, the pod dies (init watches a pipe whose other end I have).  I pass
 * signals on, copy the apps' output in the foreground, and clear up after the pod.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "contract/exit.h"
#include "stage1/init/main.h"
#include "stage1/monitor/monitor.h"

/*
 * What no signal from outside may do is end us without a word: the pod would be gone with us, by force,
 * and a terminal would stay as it is.  Not blocked: faults of our own, which nobody could block; the
 * limit of processor time; and the keyboard's stop, unless there is a terminal to be restored first.
 */
static int take_signals(bool terminal, struct err *e)
{
	static const int asked[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
	static const int left[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGABRT, SIGXCPU,
				   SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT};
	sigset_t ours, blocked;
	int fd;

	sigemptyset(&ours);
	/* Not sigfillset(3): a C library leaves out those that it would use for threads. */
	memset(&blocked, 0xff, sizeof blocked);
	for (size_t i = 0; i < ELEMENTSOF(asked); i++)
		sigaddset(&ours, asked[i]);
	for (size_t i = 0; i < ELEMENTSOF(left); i++)
		sigdelset(&blocked, left[i]);
	if (terminal) {
		sigaddset(&ours, SIGWINCH);
		sigaddset(&ours, SIGTSTP);
		sigaddset(&ours, SIGCONT);
		sigaddset(&blocked, SIGTSTP);
		sigaddset(&blocked, SIGCONT);
	}
	if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0)
		return err_sys(e, "block signals");
	fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, "signalfd") : fd;
}

static int take_input(struct monitor *m, struct err *e)
{
	m->pty = fds_take("pty");
	m->input.to = m->pty >= 0 ? fd_copy(m->pty) : fds_take("in");
	if (m->pty >= 0)
		m->relay[0] = fd_copy(m->pty);
	/* Nobody else has these open. */
	if (m->input.to >= 0 && fd_set_nonblock(m->input.to) < 0)
		return err_sys(e, "standard input");
	return 0;
}

static int prepare(struct monitor *m, struct err *e)
{
	int r = fds_init(e);

	if (r < 0)
		return r;
	m->init = fds_take("init");
	m->status = fds_take("status");
	m->relay[0] = fds_take("out");
	m->relay[1] = fds_take("err");
	m->netns = fds_take("netns");
	m->dir = fds_take("pod");
	m->error = fds_take("error");
	/* Its reader waits for init's word or for its end; ours would keep it waiting. */
	(void) fd_close(fds_take("ready"));
	if (m->init < 0 || m->status < 0 || m->dir < 0)
		return err_set(e, EBADF, "no descriptor init, status or pod");
	(void) prctl(PR_SET_NAME, "gantry-monitor");
	r = take_input(m, e);
	if (r < 0)
		return r;
	m->signals = take_signals(m->pty >= 0, e);
	if (m->signals < 0)
		return m->signals;
	/* Now nothing ends us any more without the way back. */
	terminal_raw(m);
	terminal_resize(m);
	return 0;
}

/*
 * First politely; asked again, by the keyboard or by a supervisor, at once; a third time by force.
 */
void ask_to_end(struct monitor *m)
{
	static const int sends[] = {SIGTERM, SIGINT, SIGKILL};

	(void) proc_pidfd_kill(m->init, sends[m->asked]);
	if (!m->asked)
		notify_manager("STOPPING=1");
	if (m->asked < 2)
		m->asked++;
}

void end_at_once(struct monitor *m)
{
	(void) proc_pidfd_kill(m->init, SIGINT);
	m->asked = 2;
}

static void read_signals(struct monitor *m)
{
	struct signalfd_siginfo si;

	while (read(m->signals, &si, sizeof si) == sizeof si) {
		switch (si.ssi_signo) {
		case SIGHUP:
			/*
			 * A terminal that goes away says so beside whatever else is said: that is no
			 * second request.
			 */
			(void) proc_pidfd_kill(m->init, SIGTERM);
			break;
		case SIGWINCH:
			terminal_resize(m);
			break;
		case SIGTSTP:
			terminal_stop(m);
			break;
		case SIGCONT:
			terminal_continue(m);
			break;
		default:
			ask_to_end(m);
		}
	}
}

enum { POLL_INIT, POLL_SIGNALS, POLL_STATUS, POLL_INPUT, POLL_RELAY, POLL_MAX = POLL_RELAY + 2 };

/* As with the relay, the other way round: something to come when there is room for it. */
static struct pollfd poll_input(const struct input *in)
{
	if (in->to < 0)
		return (struct pollfd) {.fd = -1};
	if (in->len)
		return (struct pollfd) {.fd = in->to, .events = POLLOUT};
	return (struct pollfd) {.fd = STDIN_FILENO, .events = POLLIN};
}

/* First wait for room where it goes to, then for something to come. */
static struct pollfd poll_relay(const struct monitor *m, int which)
{
	if (m->relay[which] < 0)
		return (struct pollfd) {.fd = -1};
	if (m->room[which])
		return (struct pollfd) {.fd = m->relay[which], .events = POLLIN};
	return (struct pollfd) {.fd = STDOUT_FILENO + which, .events = POLLOUT};
}

static void dispatch(struct monitor *m, const struct pollfd *p)
{
	if (p[POLL_SIGNALS].revents)
		read_signals(m);
	if (p[POLL_STATUS].revents && !status_read(m))
		m->status = fd_close(m->status);
	if (p[POLL_INPUT].revents) {
		if (m->input.len)
			input_write(m);
		else
			input_read(m);
	}
	for (int k = 0; k < 2; k++) {
		if (!p[POLL_RELAY + k].revents)
			continue;
		if (m->room[k])
			relay_copy(m, k);
		else
			m->room[k] = true;
	}
}

/* Until init has ended and everything that it and the apps said has arrived. */
static void watch(struct monitor *m)
{
	bool alive = true;

	while (alive || m->status >= 0 || m->relay[0] >= 0 || m->relay[1] >= 0) {
		struct pollfd p[POLL_MAX] = {
			[POLL_INIT] = {.fd = alive ? m->init : -1, .events = POLLIN},
			[POLL_SIGNALS] = {.fd = m->signals, .events = POLLIN},
			[POLL_STATUS] = {.fd = m->status, .events = POLLIN},
			[POLL_INPUT] = poll_input(&m->input),
			[POLL_RELAY] = poll_relay(m, 0),
			[POLL_RELAY + 1] = poll_relay(m, 1),
		};

		if (poll(p, POLL_MAX, -1) < 0)
			continue;
		dispatch(m, p);
		if (p[POLL_INIT].revents)
			alive = false;
	}
}

int monitor_main(char *const *argv)
{
	/* Not in the struct, which is not all zeros: pages that stay untouched cost nothing. */
	static char typed[INPUT_ROOM];
	static struct monitor m = {
		.relay = {-EBADF, -EBADF},
		.input = {.to = -EBADF, .buf = typed},
		.pty = -EBADF,
		.exit_status = -1,
	};
	static struct err e;

	log_init("gantry: run");
	if (prepare(&m, &e) < 0) {
		log_error("%s", err_text(&e));
		return EXIT_FAILED;
	}
	m.args = argv + 1;
	watch(&m);
	terminal_restore(&m);
	teardown(&m);
	if (m.escaped)
		return EXIT_ESCAPED;
	/* Without a word from init it was killed. */
	return m.exit_status < 0 ? EXIT_SIGNAL + SIGKILL : m.exit_status;
}
