#include "stage0/worker/jail.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set_limit(int which, uint64_t value, const char *name, struct err *e)
{
	struct rlimit rl;

	if (!value)
		return 0;
	if (getrlimit(which, &rl) < 0)
		return err_sys(e, "getrlimit %s", name);
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < value)
		value = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = value;
	return setrlimit(which, &rl) < 0 ? err_sys(e, "setrlimit %s", name) : 0;
}

static int set_limits(const struct jail *j, struct err *e)
{
	int r = 0;

	if (!JAIL_SANITIZED)
		r = set_limit(RLIMIT_AS, j->memory, "AS", e);
	if (r == 0)
		r = set_limit(RLIMIT_FSIZE, j->file_size, "FSIZE", e);
	if (r == 0)
		r = set_limit(RLIMIT_CPU, j->cpu_seconds, "CPU", e);
	if (r == 0)
		r = set_limit(RLIMIT_NOFILE, j->files, "NOFILE", e);
	if (r == 0)
		r = set_limit(RLIMIT_NPROC, j->processes, "NPROC", e);
	if (r == 0 && setrlimit(RLIMIT_CORE, &(struct rlimit) {0}) < 0)
		r = err_sys(e, "setrlimit CORE");
	return r;
}

static int drop_bounding_set(uint64_t keep, struct err *e)
{
	for (int cap = 0; cap < 64; cap++) {
		if (keep & (1ull << cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL) /* the first that this kernel does not know */
				return 0;
			return err_sys(e, "drop capability %d", cap);
		}
	}
	return 0;
}

static int set_caps(uint64_t caps, struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = (uint32_t) caps, .permitted = (uint32_t) caps},
		{.effective = (uint32_t) (caps >> 32), .permitted = (uint32_t) (caps >> 32)},
	};

	return syscall(SYS_capset, &head, data) < 0 ? err_sys(e, "capset") : 0;
}

/* The user, with nothing of root's left but `caps`. */
static int become_user(const struct jail *j, struct err *e)
{
	int r = drop_bounding_set(j->caps, e);

	if (r < 0)
		return r;
	/* Not through <grp.h>, whose other functions read the host's databases. */
	if (syscall(SYS_setgroups, 0, NULL) < 0)
		return err_sys(e, "setgroups");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(e, "keep capabilities");
	/* EINVAL: a user namespace that does not map the number; without capabilities root is little. */
	if ((setresgid(j->uid, j->uid, j->uid) < 0 || setresuid(j->uid, j->uid, j->uid) < 0) && errno != EINVAL)
		return err_sys(e, "set user %u", j->uid);
	r = set_caps(j->caps, e);
	if (r < 0)
		return r;
	return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? err_sys(e, "keep capabilities") : 0;
}

int jail_enter(const struct jail *j, struct err *e)
{
	bool root = geteuid() == 0;
	pid_t parent = getppid();
	int r = set_limits(j, e);

	(void) umask(0);
	if (r == 0 && root)
		r = jail_root(j, e);
	if (r == 0 && root)
		r = become_user(j, e);
	if (r < 0)
		return r;
	/* A change of user clears it (prctl(2)). */
	if (!j->lives_on && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "set parent-death signal");
	if (!j->lives_on && getppid() != parent)
		return err_set(e, ESRCH, "gantry is gone");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no_new_privs");
	r = root ? jail_landlock(j, e) : 0;
	if (r == 0)
		r = jail_seccomp(j, e);
	return r < 0 ? r : root;
}

int jail_enter_small(struct err *e)
{
	static const char *const shared[] = {"/dev/null", NULL};
	const struct jail jail = {
		.uid = JAIL_UID_VERIFY,
		.root = -EBADF,
		.shared = shared,
		.filter = JAIL_FILTER_FILES,
		.memory = 256u << 20,
		.file_size = 1u << 20,
		.cpu_seconds = 60,
		.files = 32,
	};
	int r = jail_enter(&jail, e);

	return r < 0 ? r : 0;
}
