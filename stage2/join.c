/*
 * Joining what was made for the app: control groups, namespaces; and leaving the caller's session.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage2/stage2.h"

int step_cgroup(struct stage2 *s, struct err *e)
{
	/*
	 * "0" to a v1 `tasks` file is the calling thread: no wait for a grace period, as
	 * cgroup.procs has.
	 */
	for (size_t i = 0; i < s->n_cgroups; i++) {
		if (write(s->cgroups[i].fd, "0", 1) != 1)
			return err_sys(e, "join control group %zu", i);
		s->cgroups[i].fd = fd_close(s->cgroups[i].fd);
	}
	return 0;
}

/*
 * What a command under `enter` inherits of the operator's shell (nohup, background jobs) is not the
 * app's.
 */
static void reset_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void) sigaction(sig, &dfl, NULL);
}

int step_session(struct stage2 *s, struct err *e)
{
	sigset_t none;

	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_sys(e, "reset signals");
	(void) umask(022);
	/*
	 * init has reset the handlers once for all apps; `enter` keeps the terminal on which it was
	 * typed.
	 */
	if (s->phase == PHASE_ENTER)
		reset_signals();
	else if (setsid() < 0)
		return err_sys(e, "new session");
	if (s->phase == PHASE_MAIN && s->rec.tty && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		return err_sys(e, "take the terminal");
	return 0;
}

int step_parent(_unused_ struct stage2 *s, struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "prctl PR_SET_PDEATHSIG");
	return 0;
}

/* Of the control groups: the app's own if it has one, which becomes the root of what it sees. */
static int cgroup_namespace(const struct stage2 *s)
{
	return s->rec.chroot ? 0 : CLONE_NEWCGROUP;
}

int step_namespaces(struct stage2 *s, struct err *e)
{
	if (unshare(CLONE_NEWNS | cgroup_namespace(s)) < 0)
		return err_sys(e, "unshare");
	return 0;
}

int step_join(struct stage2 *s, struct err *e)
{
	if (s->mntns < 0)
		return err_set(e, EBADF, "no descriptor %s", "mntns");
	if (setns(s->mntns, CLONE_NEWNS) < 0)
		return err_sys(e, "join mount namespace");
	s->mntns = fd_close(s->mntns);
	/* `enter` has joined the app's own; the handler gets one like it. */
	if (s->phase != PHASE_ENTER && unshare(cgroup_namespace(s)) < 0)
		return err_sys(e, "unshare");
	/* A working directory above the root is one outside of it (CVE-2024-21626). */
	if (chdir("/") < 0)
		return err_sys(e, "change directory to /");
	return 0;
}
