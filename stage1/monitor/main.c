/*
 * Who am I: the process that was `gantry run`, on the host, after stage1/run has said go.  I hold
 * the pod's lock; when I die, the pod dies (init watches a pipe whose other end I have).  I pass
 * signals on, copy the apps' output in the foreground, and clear up after the pod.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "contract/exit.h"
#include "stage1/init/main.h"
#include "stage1/monitor/monitor.h"

static int take_signals(struct err *e)
{
	sigset_t ours;
	int fd;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	/* Whoever reads our output may go away. */
	sigaddset(&ours, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &ours, NULL) < 0)
		return err_sys(e, "block signals");
	sigdelset(&ours, SIGPIPE);
	fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, "signalfd") : fd;
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
	m->signals = take_signals(e);
	return m->signals < 0 ? m->signals : 0;
}

/*
 * First politely; asked again, by the keyboard or by a supervisor, at once; a third time by force.  A
 * terminal that goes away says so beside whatever else is said: that is no second request.
 */
static void read_signals(struct monitor *m)
{
	static const int sends[] = {SIGTERM, SIGINT, SIGKILL};
	struct signalfd_siginfo si;

	while (read(m->signals, &si, sizeof si) == sizeof si) {
		if (si.ssi_signo == SIGHUP) {
			(void) proc_pidfd_kill(m->init, SIGTERM);
			continue;
		}
		(void) proc_pidfd_kill(m->init, sends[m->asked]);
		if (m->asked < 2)
			m->asked++;
	}
}

enum { POLL_INIT, POLL_SIGNALS, POLL_STATUS, POLL_RELAY, POLL_MAX = POLL_RELAY + 2 };

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
	static struct monitor m = {.relay = {-EBADF, -EBADF}, .exit_status = -1};
	static struct err e;

	log_init("gantry: run");
	if (prepare(&m, &e) < 0) {
		log_error("%s", err_text(&e));
		return EXIT_FAILED;
	}
	m.args = argv + 1;
	watch(&m);
	teardown(&m);
	/* Without a word from init it was killed. */
	return m.exit_status < 0 ? EXIT_SIGNAL + SIGKILL : m.exit_status;
}
