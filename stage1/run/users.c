/*
 * --private-users: the pod's processes in a user namespace of their own (user_namespaces(7)), whose root is
 * nobody on the host.
 *
 * init is born into it together with the other namespaces, which therefore belong to it.  What init must not
 * reach in the pod's directory it does not get: not the directory, but the few in it that are its own.  What
 * an app shares with the host (network, IPC) cannot be mounted from inside, so that is done here.
 *
 * On disk the image's owners stay: roots are overlays of ID-mapped mounts (sys/overlay.h), which need a
 * namespace with the same ids before init's is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/run/sandbox.h"
#include "sys/mountapi.h"

const char *sandbox_no_users(int code)
{
	switch (code) {
	case EINVAL:
		return "this kernel has no user namespaces (CONFIG_USER_NS)";
	case ENOSPC:
		return "no more user namespaces are allowed (sysctl user.max_user_namespaces and its like)";
	case EUSERS:
		return "user namespaces are nested too deep";
	case EPERM:
		return "user namespaces are not permitted here (a chroot, or a security module)";
	default:
		return NULL;
	}
}

static int write_map(pid_t pid, const char *file, const struct id_map *m, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/%s", (int) pid, file);
	_cleanup_free_ char *text = xasprintf("0 %u %u\n", m->shift, m->count);
	int r = file_poke_at(AT_FDCWD, path, text);

	return r < 0 ? err_sysr(e, r, "--private-users: write %s", path) : 0;
}

static int map_ids(const struct sandbox *sb, pid_t pid, struct err *e)
{
	int r = write_map(pid, "uid_map", &sb->plan->ids, e);

	return r < 0 ? r : write_map(pid, "gid_map", &sb->plan->ids, e);
}

int sandbox_map_ids(const struct sandbox *sb, pid_t pid, struct err *e)
{
	int r = map_ids(sb, pid, e);

	if (r < 0)
		return r;
	r = write_all(sb->go[1], "m", 1);
	return r < 0 ? err_sysr(e, r, "tell the pod's first process of its ids") : 0;
}

int sandbox_become_root(struct sandbox *sb, struct err *e)
{
	char c;

	/* Our copy: without it there is an end of the stream when run fails. */
	sb->go[1] = fd_close(sb->go[1]);
	if (read_exact(sb->go[0], &c, 1) != 1)
		return err_set(e, EPIPE, "run has not given this process its ids");
	/* CVE-2022-2989: none of run's groups. */
	if (syscall(SYS_setgroups, 0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(e, "become root of the pod's user namespace");
	/* The change of identity has made the kernel forget it (prctl(2)). */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? err_sys(e, "prctl PR_SET_PDEATHSIG") : 0;
}

/* Who am I: a process that is there for its user namespace, and is killed when that is open. */
static _noreturn_ void hold_namespace(void)
{
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void) pause();
}

/* A user namespace with the pod's ids, and nobody in it. */
static int open_namespace(struct sandbox *sb, struct err *e)
{
	pid_t pid = (pid_t) syscall(SYS_clone, (unsigned long) CLONE_NEWUSER | SIGCHLD, 0UL, NULL, NULL, 0UL);
	_cleanup_free_ char *path = NULL;
	const char *why;
	int r;

	if (pid == 0)
		hold_namespace();
	if (pid < 0) {
		why = sandbox_no_users(errno);
		return why ? err_set(e, errno, "--private-users: %s", why) : err_sys(e, "clone a user namespace");
	}
	r = map_ids(sb, pid, e);
	if (r == 0) {
		path = xasprintf("/proc/%d/ns/user", (int) pid);
		sb->users = open(path, O_RDONLY | O_CLOEXEC);
		if (sb->users < 0)
			r = err_sys(e, "open %s", path);
	}
	(void) kill(pid, SIGKILL);
	(void) proc_wait(pid);
	return r;
}

/*
 * What init writes into.  The pod's directory itself stays root's: an app that got the better of init could
 * put nothing into it that gc, `enter` or a plugin believe.  Each is a mount of its own, from which no ".." leads out.
 */
static int make_notes(struct sandbox *sb, struct err *e)
{
	static const struct {
		const char *path;
		mode_t mode;
	} dirs[SANDBOX_NOTES] = {{POD_STATUS, 0755}, {POD_STARTED, 0755}, {POD_LOGS, 0750}, {POD_HEALTH, 0755}};

	for (size_t i = 0; i < SANDBOX_NOTES; i++) {
		if (mkdirat(sb->pod, dirs[i].path, dirs[i].mode) < 0 && errno != EEXIST)
			return err_sys(e, "mkdir %s", dirs[i].path);
		/* The group is for the host's readers. */
		if (fchownat(sb->pod, dirs[i].path, sb->plan->ids.shift, (gid_t) -1, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "owner of %s", dirs[i].path);
		sb->notes[i] = mnt_clone(sb->pod, dirs[i].path, false);
		if (sb->notes[i] < 0)
			return err_sysr(e, sb->notes[i], "open_tree %s", dirs[i].path);
	}
	return 0;
}

/* The host's, where the pod has none of its own: only whoever has those may mount them. */
static int mount_shared(struct sandbox *sb, struct err *e)
{
	static const unsigned none = MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC;
	_cleanup_err_ struct err own = ERR_INIT;

	if (!sb->plan->private_net) {
		sb->sys = mnt_new("sysfs", NULL, none, e);
		if (sb->sys < 0)
			return sb->sys;
	}
	if (sb->plan->private_ipc)
		return 0;
	sb->mqueue = mnt_new("mqueue", NULL, none, &own);
	/* Kernels without message queues exist. */
	return sb->mqueue < 0 && sb->mqueue != -ENODEV ? err_move(e, &own) : 0;
}

int sandbox_users(struct sandbox *sb, struct err *e)
{
	int r;

	if (!sb->plan->ids.count)
		return 0;
	r = make_notes(sb, e);
	if (r == 0)
		r = mount_shared(sb, e);
	return r < 0 || !sb->plan->overlay ? r : open_namespace(sb, e);
}

void sandbox_users_fds(const struct sandbox *sb, struct fd_list *l)
{
	static const char *const names[SANDBOX_NOTES] = {"dir-status", "dir-started", "dir-logs", "dir-health"};

	for (size_t i = 0; i < SANDBOX_NOTES; i++)
		fd_list_add(l, sb->notes[i], "%s", names[i]);
	fd_list_add(l, sb->sys, "sys");
	fd_list_add(l, sb->mqueue, "mqueue");
}

int sandbox_own(const struct sandbox *sb, int fd, struct err *e)
{
	const struct id_map *ids = &sb->plan->ids;

	if (!ids->count)
		return 0;
	return fchown(fd, ids->shift, ids->shift) < 0 ? err_sys(e, "give a file to user %u", ids->shift) : 0;
}
