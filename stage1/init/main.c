/*
 * Who am I: PID 1 of a pod, started by stage1/run in all of the pod's namespaces, waiting for its
 * go. When I end, the kernel ends every process of the pod; the monitor outside reads how from the
 * status pipe.  I end when all apps have, or when the monitor is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/exit.h"
#include "stage1/init/init.h"
#include "stage1/init/main.h"

static int take(const char *name, struct err *e)
{
	int fd = fds_take(name);

	return fd < 0 ? err_set(e, EBADF, "no descriptor %s", name) : fd;
}

static int take_descriptors(struct pod *pod, struct err *e)
{
	const struct {
		const char *name;
		int *fd;
		bool optional;
	} table[] = {
		{"pod", &pod->dir, pod->rec.private_users},
		{"go", &pod->go, false},	    {"alive", &pod->alive, false},
		{"stage2", &pod->stage2, false},    {"hostself", &pod->hostself, true},
		{"ready", &pod->ready, true},	    {"terminal", &pod->terminal, true},
		{"out", &pod->relay[0], true},	    {"err", &pod->relay[1], true},
		{"sys", &pod->sys, true},	    {"mqueue", &pod->mqueue, true},
		{"dir-status", &pod->notes[NOTES_STATUS], true},
		{"dir-started", &pod->notes[NOTES_STARTED], true},
		{"dir-logs", &pod->notes[NOTES_LOGS], true},
		{"dir-health", &pod->notes[NOTES_HEALTH], true},
	};

	for (size_t i = 0; i < ELEMENTSOF(table); i++) {
		*table[i].fd = table[i].optional ? fds_take(table[i].name) : take(table[i].name, e);
		if (*table[i].fd < 0 && !table[i].optional)
			return *table[i].fd;
	}
	/* What its reader waits for is said by the monitor. */
	(void) fd_close(fds_take("error"));
	/* The write ends are ours alone, so nobody else is surprised by it. */
	for (int i = 0; i < 2; i++)
		if (pod->relay[i] >= 0 && fd_set_nonblock(pod->relay[i]) < 0)
			return err_sys(e, "relay");
	return 0;
}

/* Where one of the descriptors that are ours goes; NULL: it is stage2's. */
static int *place_of(struct app *a, const char *name)
{
	const struct {
		const char *name;
		int *fd;
	} table[] = {
		{"cgroup", &a->cgroup},	 {"kill", &a->kill_dir},   {"freezer", &a->freezer},
		{"notify", &a->notify},  {"control", &a->control},
		{"stdin", &a->given[0]}, {"stdout", &a->given[1]}, {"stderr", &a->given[2]},
	};

	for (size_t i = 0; i < ELEMENTSOF(table); i++)
		if (!strcmp(table[i].name, name))
			return table[i].fd;
	return NULL;
}

/* Sort an app's descriptors into ours and those that stage2 gets. */
static int app_descriptors(struct app *a, struct err *e)
{
	struct fd_name fds[APP_FDS_MAX];
	char prefix[16];
	size_t kept = 0;
	int n;

	(void) snprintf(prefix, sizeof prefix, "app%u-", a->index);
	n = fds_take_prefix(prefix, fds, APP_FDS_MAX);
	if (n < 0)
		return err_sysr(e, n, "app %s: descriptors", a->name);
	for (size_t i = 0; i < (size_t) n; i++) {
		int *place = place_of(a, fds[i].name);

		if (place)
			*place = fds[i].fd;
		else
			fds[kept++] = fds[i];
	}
	a->fds = xmemdup(fds, kept * sizeof *fds);
	a->n_fds = kept;
	for (size_t i = 0; i < 3; i++)
		if ((a->streams[i] == STREAM_GIVEN) != (a->given[i] >= 0))
			return err_set(e, EBADF, "app %s: stream %zu is not as the record says",
				       a->name, i);
	return 0;
}

static int make_apps(struct pod *pod, struct err *e)
{
	char *buffers;

	pod->n_apps = pod->rec.n_apps;
	pod->apps = xcalloc(pod->n_apps, sizeof *pod->apps);
	/* Fresh pages: they cost nothing for an app that prints nothing. */
	buffers = mmap(NULL, pod->n_apps * 2 * LINES_ROOM, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffers == MAP_FAILED)
		return err_sys(e, "allocate buffers");
	for (size_t i = 0; i < pod->n_apps; i++) {
		struct app *a = pod->apps + i;
		int r;

		a->name = pod->rec.apps[i].name;
		a->index = (unsigned) i;
		a->rec = &pod->rec.apps[i];
		a->has_post_stop = a->rec->has_post_stop;
		a->keeps_namespace = a->has_post_stop || a->rec->n_checks || a->rec->restart > RESTART_NEVER;
		watch_prepare(a);
		memcpy(a->streams, pod->rec.apps[i].streams, sizeof a->streams);
		for (size_t k = 0; k < 3; k++)
			a->given[k] = -EBADF;
		a->cgroup = a->kill_dir = a->freezer = a->control = a->mntns = a->log = a->report = -EBADF;
		a->notify = -EBADF;
		for (size_t k = 0; k < 2; k++) {
			a->out[k].fd = a->out_write[k] = -EBADF;
			a->out[k].lines.buf = buffers + (2 * i + k) * LINES_ROOM;
		}
		r = app_descriptors(a, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * All dispositions to their default (a caller's nohup is not the pod's), and everything that we
 * listen to blocked, SIGPIPE as well: ignored, it would be ignored in the apps.
 */
static int take_signals(struct pod *pod, struct err *e)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t all, ours;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void) sigaction(sig, &dfl, NULL);
	sigfillset(&all);
	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return err_sys(e, "block signals");
	pod->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return pod->signals < 0 ? err_sys(e, "signalfd") : 0;
}

/* Whoever reads what our caller printed must not have to wait for the end of the pod. */
static int leave_stdio(struct pod *pod, struct err *e)
{
#ifdef __SANITIZE_ADDRESS__
	static const int last = STDOUT_FILENO; /* what the sanitizer says must be seen */
#else
	static const int last = STDERR_FILENO;
#endif

	pod->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; fd <= last && pod->null >= 0; fd++)
		if (dup2(pod->null, fd) < 0)
			return err_sys(e, "leave standard streams");
	return pod->null < 0 ? err_sys(e, "open /dev/null") : 0;
}

static int prepare(struct pod *pod, struct err *e)
{
	_cleanup_fd_ int record = -EBADF;
	int r;

	/* No app may trace PID 1 or reach the descriptors that it holds, for life. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "prctl");
	(void) prctl(PR_SET_NAME, "gantry-init");
	pod->shared = getpid() != 1;
	/* Fails where run has made us a leader already. */
	(void) setsid();
	(void) umask(022);
	record = take("record", e);
	r = record < 0 ? record : pod_record_read(record, &pod->rec, e);
	if (r == 0)
		r = take_descriptors(pod, e);
	if (r == 0)
		r = take_signals(pod, e);
	if (r == 0)
		r = make_apps(pod, e);
	if (r == 0)
		r = sandbox_enter(pod, e);
	if (r == 0 && pod->shared)
		r = descent_begin(e);
	if (r < 0)
		return r;
	r = leave_stdio(pod, e);
	return r < 0 ? r : notes_prepare(pod, e);
}

/* A byte: the network is there, start; the end of the stream: run has failed. */
static bool wait_for_go(struct pod *pod)
{
	char byte;
	ssize_t n = read_exact(pod->go, &byte, 1);

	pod->go = fd_close(pod->go);
	return n == 1;
}

static void read_signals(struct pod *pod)
{
	struct signalfd_siginfo si;

	while (read(pod->signals, &si, sizeof si) == sizeof si) {
		/* 0: sent from outside of the pod. An app cannot end the pod by signalling us. */
		bool outside = pod->shared || si.ssi_pid == 0;

		if (si.ssi_signo == SIGCHLD)
			pod_reap(pod);
		else if (outside && si.ssi_signo == SIGTERM)
			pod_stop(pod);
		else if (outside && si.ssi_signo == SIGINT)
			pod_kill(pod);
	}
}

enum { POLL_SIGNALS, POLL_ALIVE, POLL_RELAY, POLL_APPS = POLL_RELAY + 2, POLL_PER_APP = 4 };

static void fill_poll(const struct pod *pod, struct pollfd *p)
{
	bool blocked[2] = {false};

	for (size_t i = 0; i < pod->n_apps; i++) {
		const struct app *a = pod->apps + i;
		struct pollfd *pa = p + POLL_APPS + POLL_PER_APP * i;

		pa[0] = (struct pollfd) {.fd = a->report, .events = POLLIN};
		pa[3] = (struct pollfd) {.fd = a->notify, .events = POLLIN};
		for (int k = 0; k < 2; k++) {
			blocked[k] = blocked[k] || a->out[k].blocked;
			/*
			 * The end of a pipe is always told: one that must wait is left out as a
			 * whole.
			 */
			pa[k + 1] = (struct pollfd){.fd = a->out[k].blocked ? -1 : a->out[k].fd,
						    .events = POLLIN};
		}
	}
	p[POLL_SIGNALS] = (struct pollfd) {.fd = pod->signals, .events = POLLIN};
	p[POLL_ALIVE] = (struct pollfd) {.fd = pod->alive, .events = POLLIN};
	for (int k = 0; k < 2; k++)
		p[POLL_RELAY + k] =
			(struct pollfd){.fd = blocked[k] ? pod->relay[k] : -1, .events = POLLOUT};
}

static void read_report(struct pod *pod, struct app *a)
{
	/*
	 * A handler's words are nobody's business; one that died without any is seen when it is
	 * reaped.
	 */
	if (!report_read(a) || a->state == APP_HANDLER)
		return;
	if (a->report_failed)
		pod_event(pod, a, EV_FAILED);
	else if (a->report_ready)
		pod_event(pod, a, EV_READY);
}

static void dispatch(struct pod *pod, const struct pollfd *p)
{
	for (size_t i = 0; i < pod->n_apps; i++) {
		struct app *a = pod->apps + i;
		const struct pollfd *pa = p + POLL_APPS + POLL_PER_APP * i;

		for (int k = 0; k < 2; k++)
			if (pa[k + 1].revents || (a->out[k].blocked && p[POLL_RELAY + k].revents))
				stream_pump(pod, a, k);
		if (pa[0].revents && pa[0].fd == a->report)
			read_report(pod, a);
		if (pa[3].revents && notify_read(a))
			pod_check_ready(pod);
	}
	/* After the reports, so that a start is seen before the end. */
	if (p[POLL_SIGNALS].revents)
		read_signals(pod);
}

static void run(struct pod *pod, struct pollfd *p)
{
	pod_start(pod);
	while (!pod_is_done(pod)) {
		int n;

		fill_poll(pod, p);
		n = poll(p, (nfds_t) (POLL_APPS + POLL_PER_APP * pod->n_apps),
			 pod_next_timeout(pod));
		/* The monitor is gone: so is everything, at once. */
		if (n > 0 && p[POLL_ALIVE].revents) {
			if (pod->shared)
				descent_end();
			_exit(EXIT_FAILED);
		}
		if (n > 0)
			dispatch(pod, p);
		pod_timeouts(pod);
	}
}

int init_main(void)
{
	static struct pod pod = {
		.rec = POD_RECORD_INIT,
		.exit_status = -1,
		.dir = -EBADF,
		.go = -EBADF,
		.alive = -EBADF,
		.status = -EBADF,
		.ready = -EBADF,
		.stage2 = -EBADF,
		.hostself = -EBADF,
		.sys = -EBADF,
		.mqueue = -EBADF,
		.relay = {-EBADF, -EBADF},
		.terminal = -EBADF,
		.null = -EBADF,
		.signals = -EBADF,
	};
	static struct err e;
	struct pollfd *p;
	int r = fds_init(&e);

	pod.status = fds_take("status");
	if (r == 0)
		r = prepare(&pod, &e);
	if (r < 0) {
		note_error(&pod, EXIT_FAILED, err_text(&e));
		note_exit(&pod, EXIT_FAILED);
		return EXIT_FAILED;
	}
	p = xcalloc(POLL_APPS + POLL_PER_APP * pod.n_apps, sizeof *p);
	if (!wait_for_go(&pod))
		return EXIT_FAILED;
	if (sysctl_apply(&pod, &e) < 0) {
		note_error(&pod, EXIT_FAILED, err_text(&e));
		note_exit(&pod, EXIT_FAILED);
		return EXIT_FAILED;
	}
	run(&pod, p);
	note_exit(&pod, pod.exit_status < 0 ? 0 : pod.exit_status);
	return 0;
}
