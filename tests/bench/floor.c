/*
 * floor.c - what the kernel charges for one container and for a pod of two, as a program.
 *
 *   floor [options] cgroups           make the parent cgroups, once, outside the clock
 *   floor [options] one -- ARGV       one app in namespaces of its own, loopback only
 *   floor [options] pod -- ARGV       a PID 1 and two apps that share its network (a veth pair)
 *
 *   -r ROOTFS  -w WORKDIR  -f SECCOMP-PROGRAM  -c CGROUP-NAME  -k (pod: end it once both apps run)
 *
 * It is linked statically, starts its apps as vfork(2) does (CLONE_VM|CLONE_VFORK) and waits for
 * them. The order of an app's steps is that of any runtime: cgroup, namespaces, mounts, pivot_root,
 * capabilities, seccomp, exec.
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)
#define FILTER_MAX (64 * 1024)

/* The fourteen capabilities that containers keep by default. */
static const unsigned char kept_caps[] = {
	CAP_AUDIT_WRITE, CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER,
	CAP_KILL,	 CAP_MKNOD,  CAP_NET_RAW,      CAP_SETUID, CAP_NET_BIND_SERVICE,
	CAP_SETGID,	 CAP_SETPCAP, CAP_SETFCAP,     CAP_SYS_CHROOT,
};

struct app {
	const struct floor_plan *plan;
	struct floor_cgroup cg;
	char layer[128];
	bool alone; /* not in a pod: it brings its own network up */
};

struct pod {
	const struct floor_plan *plan;
	struct app app[2];
	int host;
	int id;
};

static char stacks[3][STACK_SIZE] __attribute__((aligned(16)));
static unsigned char filter_bytes[FILTER_MAX] __attribute__((aligned(8)));

void floor_die(const char *what)
{
	(void)dprintf(2, "floor: %s: %s\n", what, strerror(errno));
	_exit(127);
}

void floor_write(int dir, const char *file, const char *value)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(value);

	if (fd < 0 || write(fd, value, len) != (ssize_t)len)
		floor_die(file);
	close(fd);
}

/* The layer is u (upper), w (work) and m (where the overlay is mounted). */
static void layer_make(struct app *app, int id)
{
	char path[160];

	(void)snprintf(app->layer, sizeof(app->layer), "%s/%d", app->plan->work, id);
	if (mkdir(app->layer, 0755) < 0)
		floor_die(app->layer);
	for (const char *p = "uwm"; *p; p++) {
		(void)snprintf(path, sizeof(path), "%s/%c", app->layer, *p);
		if (mkdir(path, 0755) < 0)
			floor_die(path);
	}
}

/* An app that wrote nothing leaves the upper layer and overlayfs' own w/work empty. */
static void layer_remove(const struct app *app)
{
	static const char *const parts[] = { "u", "w/work", "w", "m", "" };
	char path[160];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", app->layer, parts[i]);
		if (rmdir(path) < 0 && errno != ENOENT)
			floor_die(path);
	}
}

static void caps_limit(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	unsigned long long keep = 0;

	for (size_t i = 0; i < sizeof(kept_caps); i++)
		keep |= 1ull << kept_caps[i];
	/* EINVAL tells the end: the kernel's last capability, without reading it from /proc. */
	for (int cap = 0; cap < 64; cap++)
		if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (unsigned)(keep >> 32 * i);
	if (syscall(SYS_capset, &head, data) < 0)
		floor_die("capset");
}

static size_t filter_load(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, filter_bytes, sizeof(filter_bytes));

	if (n <= 0)
		floor_die(file);
	close(fd);
	return (size_t)n;
}

/* While CAP_SYS_ADMIN is still effective: no_new_privs is not needed and not set. */
static void filter_install(size_t bytes)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(bytes / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(void *)filter_bytes,
	};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		floor_die("seccomp");
}

static size_t filter_size;

/* Role: the app, up to its exec; the parent is suspended and shares the memory. */
static int app_child(void *arg)
{
	struct app *app = arg;
	static char *const env[] = { "PATH=/bin", NULL };

	floor_cgroup_join(&app->cg);
	/* After the join, so that the app sees its own cgroup as the root. */
	if (unshare(CLONE_NEWCGROUP) < 0)
		floor_die("unshare");
	if (app->alone)
		floor_loopback_up();
	floor_root(app->plan->rootfs, app->layer);
	filter_install(filter_size);
	caps_limit();
	execve(app->plan->argv[0], app->plan->argv, env);
	floor_die(app->plan->argv[0]);
}

static void app_make(struct app *app, const struct floor_plan *plan, int id)
{
	app->plan = plan;
	floor_cgroup_make(&app->cg, plan->cgroup, id);
	layer_make(app, id);
}

/*
 * In v1 the child moves itself (a write of 0 to "tasks" needs no grace period); in v2 it is born in
 * its cgroup, which only clone3 offers, and glibc has no wrapper that gives clone3 a stack: there
 * the child gets a copy of this small address space instead of sharing it.
 */
static pid_t app_start(struct app *app, int slot, unsigned long flags)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid;

	if (!app->cg.unified) {
		pid = clone(app_child, stacks[slot] + STACK_SIZE,
			    (int)flags | CLONE_VM | CLONE_VFORK | SIGCHLD, app);
	} else {
		args.flags = flags | CLONE_VFORK | CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)app->cg.dir[0];
		pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		if (pid == 0)
			_exit(app_child(app));
	}
	if (pid < 0)
		floor_die("clone");
	return pid;
}

static void app_remove(struct app *app)
{
	floor_cgroup_remove(&app->cg);
	layer_remove(app);
}

static int run_one(const struct floor_plan *plan, int id)
{
	struct app app = { .alone = true };
	int status;
	pid_t pid;

	app_make(&app, plan, id);
	pid = app_start(&app, 0, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
			CLONE_NEWNET);
	if (waitpid(pid, &status, 0) < 0)
		floor_die("waitpid");
	app_remove(&app);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Role: PID 1 of the pod; ends when both apps have ended, and with it all that is left. */
static int pod_child(void *arg)
{
	struct pod *pod = arg;
	int status, worst = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || sethostname("pod", 3) < 0)
		floor_die("pod");
	floor_loopback_up();
	floor_veth(pod->host, pod->id);
	for (int i = 0; i < 2; i++)
		app_start(&pod->app[i], i, CLONE_NEWNS);
	if (pod->plan->kill)
		_exit(0);
	while (waitpid(-1, &status, 0) > 0)
		if (status)
			worst = status;
	_exit(worst ? 1 : 0);
}

static int run_pod(const struct floor_plan *plan, int id)
{
	struct pod pod = { .plan = plan, .host = floor_netlink(), .id = id };
	int status;
	pid_t pid;

	for (int i = 0; i < 2; i++)
		app_make(&pod.app[i], plan, 2 * id + i);
	/* Not CLONE_VFORK: the parent is free to wait, as a monitor would be. */
	pid = clone(pod_child, stacks[2] + STACK_SIZE,
		    CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | SIGCHLD, &pod);
	if (pid < 0)
		floor_die("clone");
	if (waitpid(pid, &status, 0) < 0)
		floor_die("waitpid");
	for (int i = 0; i < 2; i++)
		app_remove(&pod.app[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct floor_plan plan = { .cgroup = "gantry-floor" };
	int opt;

	while ((opt = getopt(argc, argv, "+r:w:f:c:k")) != -1)
		switch (opt) {
		case 'r': plan.rootfs = optarg; break;
		case 'w': plan.work = optarg; break;
		case 'f': plan.filter = optarg; break;
		case 'c': plan.cgroup = optarg; break;
		case 'k': plan.kill = true; break;
		default: return 2;
		}
	if (argc - optind == 1 && strcmp(argv[optind], "cgroups") == 0) {
		floor_cgroups(plan.cgroup);
		return 0;
	}
	if (argc - optind < 3 || !plan.rootfs || !plan.work || !plan.filter) {
		(void)dprintf(2, "usage: floor -r ROOTFS -w WORK -f FILTER [-c NAME] [-k] "
			      "one|pod -- ARGV\n       floor [-c NAME] cgroups\n");
		return 2;
	}
	plan.argv = argv + optind + 2;
	filter_size = filter_load(plan.filter);
	if (strcmp(argv[optind], "one") == 0)
		return run_one(&plan, getpid());
	return run_pod(&plan, getpid());
}
