/*
 * Carrying the plan out, in this order, and taking it back when a step fails.
 *
 *	what lies in the pod directory · control groups · mount objects · filters · pod record
 *	the child, which becomes init and lays out the pod's own file systems while we go on
 *	networks · app records · pid
 *	go · become the monitor
 *
 * Until the byte on `go`, nothing of the image has run.
 */
#include "stage1/run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "stage1/run/programs.h"

#define CGROUP_TIMEOUT_MS 3000

static const int no_pipe[2] = {-EBADF, -EBADF};

void sandbox_init(struct sandbox *sb, const struct plan *plan, const struct entry_args *args,
		  const struct cg_host *cgroups, int pod)
{
	*sb = (struct sandbox) {
		.plan = plan, .args = args, .cgroups = cgroups, .pod = pod,
		.lock = -EBADF, .error = -EBADF, .ready = -EBADF, .log = -EBADF,
		.init_leaf = CG_LEAF_INIT, .init = -EBADF, .stage2 = -EBADF, .hostself = -EBADF,
		.record = -EBADF, .pidfd = -EBADF, .netns = -EBADF, .users = -EBADF, .sys = -EBADF, .mqueue = -EBADF,
		.pts = -EBADF, .pty = -EBADF, .tty = -EBADF,
	};
	for (int i = 0; i < 2; i++) {
		sb->go[i] = sb->alive[i] = sb->status[i] = no_pipe[i];
		sb->out[i] = sb->err[i] = sb->in[i] = no_pipe[i];
	}
	for (int i = 0; i < SANDBOX_NOTES; i++)
		sb->notes[i] = -EBADF;
	sb->apps = xcalloc(plan->n_apps, sizeof *sb->apps);
	for (size_t i = 0; i < plan->n_apps; i++)
		sb->apps[i] = (struct sandbox_app) {
			.record = -EBADF, .root = -EBADF, .seccomp = -EBADF, .notify = -EBADF, .leaf = CG_LEAF_INIT};
}

static int make_pipes(struct sandbox *sb, struct err *e)
{
	if (pipe2(sb->go, O_CLOEXEC) < 0 || pipe2(sb->alive, O_CLOEXEC) < 0 ||
	    pipe2(sb->status, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	/* What goes to a terminal of the app's own, the monitor has from there. */
	if (sb->args->foreground && !sb->plan->terminal &&
	    (pipe2(sb->out, O_CLOEXEC) < 0 || pipe2(sb->err, O_CLOEXEC) < 0))
		return err_sys(e, "pipe");
	return 0;
}

static int open_programs(struct sandbox *sb, struct err *e)
{
	_cleanup_programs_ struct programs p = {-EBADF, -EBADF};
	int r = programs_open(&p, e);

	if (r < 0)
		return r;
	sb->init = programs_get(&p, "init", e);
	if (sb->init < 0)
		return sb->init;
	sb->stage2 = programs_get(&p, "stage2", e);
	if (sb->stage2 < 0)
		return sb->stage2;
	/* The link itself: what it says is all that init gets to see of the host's processes. */
	sb->hostself = open("/proc/self", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return sb->hostself < 0 ? err_sys(e, "open /proc/self") : 0;
}

/* The namespace by a descriptor that the monitor keeps: no mount in the host, and DEL has it, too. */
static int start_network(struct sandbox *sb, struct err *e)
{
	_cleanup_free_ char *path = NULL, *ns = NULL;
	int r;

	if (!sb->net)
		return 0;
	ns = xasprintf("/proc/%d/ns/net", (int) sb->pid);
	sb->netns = open(ns, O_RDONLY | O_CLOEXEC);
	if (sb->netns < 0)
		return err_sys(e, "open the pod's network namespace");
	path = xasprintf("/proc/%d/fd/%d", (int) getpid(), sb->netns);
	net_plan_netns(sb->net, path, sb->netns);
	sb->net_begun = true;
	r = net_up(sb->net, &sb->net_result, e);
	return r < 0 ? r : sandbox_resolv(sb, e);
}

static int prepare(struct sandbox *sb, struct err *e)
{
	int (*const steps[])(struct sandbox *, struct err *) = {
		make_pipes, sandbox_streams, open_programs, sandbox_files, sandbox_notify,
		sandbox_cgroups, sandbox_users, sandbox_mounts,
		sandbox_filters, sandbox_pod_record,
		sandbox_child,
		start_network, sandbox_app_records, sandbox_pid_file,
	};

	for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
		int r = steps[i](sb, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static void kill_child(struct sandbox *sb)
{
	if (sb->pid <= 0)
		return;
	(void) kill(sb->pid, SIGKILL);
	(void) proc_wait(sb->pid);
	sb->pid = 0;
}

/* What can be taken back is; what cannot stands in the pod directory, for gc. */
static void undo(struct sandbox *sb)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *path = xasprintf("/proc/%d/fd/%d", (int) getpid(), sb->netns);
	_cleanup_free_ char *dirs = NULL;

	/* Plugins want the namespace while they undo, and we hold it; init is not needed for that. */
	kill_child(sb);
	if (sb->net_begun && net_down(sb->pod, sb->plan->uuid, path, &e) < 0)
		log_warning("%s", err_text(&e));
	if (!sb->cgroups_listed)
		return;
	dirs = strv_join(sb->plan->cgroups, "\n");
	if (cg_remove_listed(dirs, CGROUP_TIMEOUT_MS, &e) < 0)
		log_warning("%s", err_text(&e));
}

/* Why init is gone before it was told to go: its `error CODE TEXT`, where it came to say it. */
static int not_born(struct sandbox *sb, int r, struct err *e)
{
	char line[1024], *text;
	ssize_t n = read(sb->status[0], line, sizeof line - 1);

	if (n <= 0)
		return err_sysr(e, r, "the pod's init ended before its start");
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	text = str_starts(line, "error ") ? strchr(line + 6, ' ') : NULL;
	return err_set(e, EIO, "the pod's init: %s", text ? text + 1 : line);
}

int sandbox_run(struct sandbox *sb, struct err *e)
{
	int r = prepare(sb, e);

	if (r == 0) {
		r = write_all(sb->go[1], "g", 1);
		if (r < 0)
			r = not_born(sb, r, e);
	}
	if (r == 0)
		r = sandbox_monitor(sb, e);
	undo(sb);
	return r;
}

static void close_pipe(int p[2])
{
	p[0] = fd_close(p[0]);
	p[1] = fd_close(p[1]);
}

void sandbox_done(struct sandbox *sb)
{
	int *const fds[] = {&sb->lock, &sb->error, &sb->ready, &sb->log, &sb->init, &sb->stage2,
			    &sb->hostself, &sb->record, &sb->pidfd, &sb->netns, &sb->users, &sb->sys, &sb->mqueue,
			    &sb->pts, &sb->pty, &sb->tty};

	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		*fds[i] = fd_close(*fds[i]);
	for (size_t i = 0; i < SANDBOX_NOTES; i++)
		sb->notes[i] = fd_close(sb->notes[i]);
	close_pipe(sb->go);
	close_pipe(sb->alive);
	close_pipe(sb->status);
	close_pipe(sb->out);
	close_pipe(sb->err);
	close_pipe(sb->in);
	cg_leaf_close(&sb->init_leaf);
	for (size_t i = 0; i < sb->plan->n_apps; i++) {
		struct sandbox_app *sa = &sb->apps[i];

		(void) fd_close(sa->record);
		(void) fd_close(sa->root);
		(void) fd_close(sa->seccomp);
		(void) fd_close(sa->notify);
		for (size_t j = 0; j < sa->n_mounts; j++)
			(void) fd_close(sa->mounts[j]);
		free(sa->mounts);
		cg_leaf_close(&sa->leaf);
	}
	free(sb->apps);
	net_result_done(&sb->net_result);
	net_plan_free(sb->net);
}
