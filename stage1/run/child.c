/*
 * The process that becomes the pod's init.
 *
 * It is born into the new namespaces, joins its control group, has the group it sits in as the root of
 * its cgroup namespace, and executes init; whatever fails on that way it writes to the status pipe,
 * as init itself does.  The kernel kills it when its parent, which becomes the monitor, dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "contract/exit.h"
#include "stage1/run/fd_list.h"
#include "stage1/run/sandbox.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

static void app_fds(struct fd_list *l, const struct sandbox_app *sa, size_t i)
{
	fd_list_add(l, sa->record, "app%zu-record", i);
	fd_list_add(l, sa->root, "app%zu-root", i);
	fd_list_add(l, sa->seccomp, "app%zu-seccomp", i);
	fd_list_add(l, sa->notify, "app%zu-notify", i);
	for (size_t j = 0; j < sa->n_mounts; j++)
		fd_list_add(l, sa->mounts[j], "app%zu-mount%zu", i, j);
	for (size_t j = 0; j < sa->leaf.n_join; j++)
		fd_list_add(l, sa->leaf.join[j], "app%zu-cg%zu", i, j);
	fd_list_add(l, sa->leaf.dir, "app%zu-kill", i);
	fd_list_add(l, sa->leaf.freezer, "app%zu-freezer", i);
}

/*
 * In a user namespace init may open no file of a control group, nor be born into one (cgroups(7)).  What it
 * has to do with them it does by what is open: writes count as those of whoever opened the file.
 */
static void group_fds(struct fd_list *l, const struct cg_leaf *leaf, size_t i, bool users)
{
	/* A name each, so a descriptor each: the same directory is there to be killed by. */
	if (!users) {
		fd_list_add(l, leaf->dir < 0 ? -EBADF : fd_copy(leaf->dir), "app%zu-cgroup", i);
		return;
	}
	if (leaf->dir >= 0) {
		fd_list_add(l, openat(leaf->dir, "cgroup.procs", O_WRONLY | O_CLOEXEC), "app%zu-cg0", i);
		fd_list_add(l, openat(leaf->dir, CG_KILL_V2, O_WRONLY | O_CLOEXEC), "app%zu-control", i);
	}
	if (leaf->freezer >= 0)
		fd_list_add(l, openat(leaf->freezer, CG_FREEZE_V1, O_WRONLY | O_CLOEXEC), "app%zu-control", i);
}

/* --interactive, of a pod with one app: a name each, so a descriptor each. */
static void stream_fds(struct sandbox *sb, struct fd_list *l)
{
	static const char *const names[3] = {"stdin", "stdout", "stderr"};

	fd_list_add(l, sb->in[0], "app0-stdin");
	for (size_t i = 0; i < 3 && sb->tty >= 0; i++)
		if (sb->plan->apps[0].streams[i] == STREAM_GIVEN)
			fd_list_add(l, fd_copy(sb->tty), "app0-%s", names[i]);
	fd_list_add(l, sb->pts, "app0-pts");
	/* init keeps it: while nobody had the terminal open, its other side would be at its end. */
	fd_list_add(l, sb->tty, "terminal");
}

static void init_fds(struct sandbox *sb, struct fd_list *l)
{
	fd_list_add(l, sb->record, "record");
	if (sb->plan->ids.count)
		sandbox_users_fds(sb, l);
	else
		fd_list_add(l, sb->pod, "pod");
	fd_list_add(l, sb->lock, "lock");
	fd_list_add(l, sb->go[0], "go");
	fd_list_add(l, sb->alive[0], "alive");
	fd_list_add(l, sb->status[1], "status");
	fd_list_add(l, sb->out[1], "out");
	fd_list_add(l, sb->err[1], "err");
	fd_list_add(l, sb->stage2, "stage2");
	fd_list_add(l, sb->hostself, "hostself");
	fd_list_add(l, sb->ready, "ready");
	fd_list_add(l, sb->error, "error");
	stream_fds(sb, l);
	for (size_t i = 0; i < sb->plan->n_apps; i++)
		for (size_t j = 0; j < sb->plan->apps[i].n_listen; j++)
			fd_list_add(l, sb->plan->apps[i].listen[j], "app%zu-listen%zu", i, j);
	for (size_t i = 0; i < sb->plan->n_apps; i++) {
		app_fds(l, &sb->apps[i], i);
		group_fds(l, &sb->apps[i].leaf, i, sb->plan->ids.count);
	}
}

/* v1, or v2 where clone3 cannot do it: a process with one thread moves itself by writing 0. */
static int join(struct sandbox *sb, bool joined, struct err *e)
{
	const struct cg_leaf *leaf = &sb->init_leaf;
	int r;

	for (size_t i = 0; i < leaf->n_join; i++)
		if (write(leaf->join[i], "0", 1) < 0)
			return err_sys(e, "join the pod's control group");
	if (leaf->dir >= 0 && !joined) {
		r = file_poke_at(leaf->dir, "cgroup.procs", "0");
		if (r < 0)
			return err_sysr(e, r, "join the pod's control group");
	}
	/*
	 * init stays in the host's cgroup namespace: with a view that begins at its own leaf it could not
	 * put apps into theirs where namespaces are delegation boundaries (nsdelegate, cgroups(7)).  It
	 * has no cgroup file system to look at; each app gets a namespace of its own.
	 */
	return 0;
}

static _noreturn_ void become_init(struct sandbox *sb, bool joined)
{
	char *argv[] = {(char *) "gantry-init", NULL};
	char *env[] = {NULL};
	_cleanup_fd_list_ struct fd_list l = {0};
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *line = NULL;
	int r = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = err_sys(&e, "prctl PR_SET_PDEATHSIG");
	if (r == 0)
		r = join(sb, joined, &e);
	if (r == 0)
		init_fds(sb, &l);
	if (r == 0 && sb->plan->ids.count)
		r = sandbox_become_root(sb, &e);
	if (r == 0)
		(void) exec_fds(sb->init, "init", argv, env, l.v, l.n, &e);
	line = xasprintf("error %d %s\n", EXIT_FAILED, err_text(&e));
	(void) write_all(sb->status[1], line, strlen(line));
	_exit(EXIT_FAILED);
}

static uint64_t namespaces(const struct plan *plan)
{
	if (plan->chroot)
		return CLONE_NEWNS;
	return CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | (plan->private_ipc ? CLONE_NEWIPC : 0) |
	       (plan->private_net ? CLONE_NEWNET : 0) | (plan->ids.count ? CLONE_NEWUSER : 0);
}

struct newborn {
	struct sandbox *sb;
	bool joined;
};

static int newborn_main(void *arg)
{
	const struct newborn *n = arg;

	become_init(n->sb, n->joined);
}

/* With memory of its own: the parent goes on, to give the user namespace its ids. */
static pid_t spawn_apart(struct sandbox *sb)
{
	long pid = syscall(SYS_clone, (unsigned long) namespaces(sb->plan) | CLONE_PIDFD | SIGCHLD, 0UL, &sb->pidfd,
			   NULL, 0UL);

	if (pid == 0)
		become_init(sb, false);
	return (pid_t) pid;
}

/*
 * With the parent's memory, and the parent waiting until the exec: nothing is copied that is thrown away
 * a moment later.  The child only adds to the heap, and its stack is its own.
 */
static pid_t spawn_lent(struct sandbox *sb)
{
#ifdef __SANITIZE_ADDRESS__ /* it knows one stack to a process */
	return spawn_apart(sb);
#else
	static char stack[65536] __attribute__((aligned(16)));
	struct newborn n = {sb, false};

	return clone(newborn_main, stack + sizeof stack,
		     (int) namespaces(sb->plan) | CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &n, &sb->pidfd);
#endif
}

static pid_t spawn_old(struct sandbox *sb)
{
	return sb->plan->ids.count ? spawn_apart(sb) : spawn_lent(sb);
}

/*
 * v2: born in its group, since a process that moves makes the whole machine wait; only clone3(2) can do
 * that.  It may be missing or filtered away (ENOSYS, EPERM): then as on v1.  0 in the child.
 */
static pid_t spawn(struct sandbox *sb)
{
	struct clone_args args = {
		.flags = namespaces(sb->plan) | CLONE_PIDFD | CLONE_INTO_CGROUP,
		.pidfd = (uint64_t) (uintptr_t) &sb->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t) sb->init_leaf.dir,
	};
	long pid;

	if (sb->init_leaf.dir < 0)
		return spawn_old(sb);
	pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		become_init(sb, true);
	if (pid < 0 && (errno == ENOSYS || errno == EPERM || errno == E2BIG))
		return spawn_old(sb);
	return (pid_t) pid;
}

static int not_cloned(const struct sandbox *sb, struct err *e)
{
	int code = errno;
	const char *why = sb->plan->ids.count ? sandbox_no_users(code) : NULL;

	return why ? err_set(e, code, "--private-users: %s", why)
		   : err_sysr(e, -code, "clone the pod's first process");
}

int sandbox_child(struct sandbox *sb, struct err *e)
{
	sigset_t all, ours;
	int r;

	/*
	 * The first process of a PID namespace is spared every signal that it has no handler for, and
	 * never hears of it (pid_namespaces(7)): whoever asks the pod to end before init listens would ask
	 * in vain.  A blocked signal waits, over the exec as well.
	 */
	(void) sigfillset(&all);
	(void) sigprocmask(SIG_SETMASK, &all, &ours);
	sb->pid = spawn(sb);
	(void) sigprocmask(SIG_SETMASK, &ours, NULL);
	if (sb->pid < 0)
		return not_cloned(sb, e);
	r = sb->plan->ids.count ? sandbox_map_ids(sb, sb->pid, e) : 0;
	if (r < 0)
		return r;
	/* Only init has these ends from now on: their end of file tells that it is gone. */
	sb->go[0] = fd_close(sb->go[0]);
	sb->alive[0] = fd_close(sb->alive[0]);
	sb->status[1] = fd_close(sb->status[1]);
	sb->out[1] = fd_close(sb->out[1]);
	sb->err[1] = fd_close(sb->err[1]);
	sb->in[0] = fd_close(sb->in[0]);
	sb->tty = fd_close(sb->tty);
	return 0;
}
