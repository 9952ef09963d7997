/*
 * The pseudo terminal of `enter`, and what goes through it.
 */
#include "stage1/entry/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"

#define PIECE 4096

/*
 * The app decides what its root is and what lies in it: so what is found must be the multiplexer of
 * some devpts, and the app can have none but its own.  -errno: it is not.
 */
static int open_ptmx(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/root", (int) pid);
	_cleanup_fd_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	struct statfs fs;
	struct stat st;
	char link[40];
	int master;

	if (root < 0)
		return -errno;
	fd = path_open_beneath(root, "dev/pts/ptmx", O_PATH, 0, PATH_NO_LINKS);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || fs.f_type != DEVPTS_SUPER_MAGIC)
		return -ENXIO;
	(void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	master = open(link, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return master < 0 ? -errno : master;
}

int terminal_open(struct terminal *t, pid_t pid, struct err *e)
{
	bool any = false;
	int r;

	for (int fd = 0; fd < 3; fd++)
		any |= t->replaced[fd] = isatty(fd);
	if (!any)
		return 0;
	t->master = open_ptmx(pid);
	if (t->master < 0)
		t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->master < 0 || grantpt(t->master) < 0 || unlockpt(t->master) < 0)
		return err_sys(e, "make a terminal");
	r = fd_set_nonblock(t->master);
	return r < 0 ? err_sysr(e, r, "make a terminal") : 0;
}

int terminal_child(struct terminal *t, struct err *e)
{
	_cleanup_fd_ int slave = -EBADF;

	/* Without a session of its own, /dev/tty would be the operator's terminal. */
	if (setsid() < 0)
		return err_sys(e, "new session");
	if (t->master < 0)
		return 0;
	/* By the master's descriptor, not by a name in some /dev/pts (CVE-2025-52565). */
	slave = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_sys(e, "open the new terminal");
	for (int fd = 0; fd < 3; fd++)
		if (t->replaced[fd] && dup2(slave, fd) < 0)
			return err_sys(e, "replace descriptor %d", fd);
	return 0;
}

static void copy_size(const struct terminal *t)
{
	struct winsize ws;

	for (int fd = 0; fd < 3; fd++)
		if (t->replaced[fd] && ioctl(fd, TIOCGWINSZ, &ws) == 0) {
			(void) ioctl(t->master, TIOCSWINSZ, &ws);
			return;
		}
}

static void set_raw(struct terminal *t)
{
	struct termios raw;

	if (!t->replaced[0] || tcgetattr(0, &t->saved) < 0)
		return;
	/* What the new terminal does with a line is what the operator's did. */
	(void) tcsetattr(t->master, TCSANOW, &t->saved);
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(0, TCSADRAIN, &raw) == 0;
}

void terminal_done(struct terminal *t)
{
	if (t->raw)
		(void) tcsetattr(0, TCSADRAIN, &t->saved);
	t->raw = false;
	t->master = fd_close(t->master);
}

/* What was typed and has not been taken by the new terminal yet. */
struct typed {
	char buf[PIECE];
	size_t len;
	bool end;
};

static void read_typed(struct typed *in)
{
	ssize_t n = read(0, in->buf, sizeof in->buf);

	if (n > 0)
		in->len = (size_t) n;
	else if (n == 0 || errno != EINTR)
		in->end = true;
}

static void write_typed(const struct terminal *t, struct typed *in)
{
	ssize_t n = write(t->master, in->buf, in->len);

	if (n <= 0)
		return;
	in->len -= (size_t) n;
	memmove(in->buf, in->buf + n, in->len);
}

/* Output goes where a terminal was: 1, else 2. False when there is nothing to be had at the moment. */
static bool copy_output(const struct terminal *t)
{
	char buf[PIECE];
	ssize_t n = read(t->master, buf, sizeof buf);

	if (n <= 0)
		return false;
	(void) write_all(t->replaced[1] ? 1 : t->replaced[2] ? 2 : 0, buf, (size_t) n);
	return true;
}

/* To the operator's process they came; the child, in a session of its own, would not see them. */
static void pass_signals(const struct terminal *t, int signals, int pidfd)
{
	struct signalfd_siginfo si;

	while (read(signals, &si, sizeof si) == sizeof si) {
		if (si.ssi_signo == SIGWINCH && t->master >= 0)
			copy_size(t);
		else if (si.ssi_signo != SIGWINCH)
			(void) proc_pidfd_kill(pidfd, (int) si.ssi_signo);
	}
}

static int open_signals(void)
{
	static const int list[] = {SIGWINCH, SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ELEMENTSOF(list); i++)
		sigaddset(&set, list[i]);
	(void) sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int terminal_relay(struct terminal *t, int pidfd, pid_t pid)
{
	_cleanup_fd_ int signals = open_signals();
	struct typed in = {.end = t->master < 0 || !t->replaced[0]};
	enum { CHILD, SIGNALS, TYPED, MASTER, N };

	if (t->master >= 0) {
		copy_size(t);
		set_raw(t);
	}
	for (;;) {
		struct pollfd p[N] = {
			[CHILD] = {.fd = pidfd, .events = POLLIN},
			[SIGNALS] = {.fd = signals, .events = POLLIN},
			[TYPED] = {.fd = in.end || in.len ? -1 : 0, .events = POLLIN},
			[MASTER] = {.fd = t->master, .events = (short) (POLLIN | (in.len ? POLLOUT : 0))},
		};

		if (poll(p, N, -1) < 0)
			continue;
		if (p[SIGNALS].revents)
			pass_signals(t, signals, pidfd);
		if (p[TYPED].revents)
			read_typed(&in);
		if (p[MASTER].revents & POLLOUT)
			write_typed(t, &in);
		if (p[MASTER].revents & POLLIN)
			(void) copy_output(t);
		if (p[CHILD].revents)
			break;
		/* Nobody has the other side open: nothing more comes, and poll would never rest. */
		if (p[MASTER].revents == POLLHUP)
			t->master = fd_close(t->master);
	}
	/* What it said before it ended. */
	while (t->master >= 0 && copy_output(t))
		;
	terminal_done(t);
	return proc_wait(pid);
}
