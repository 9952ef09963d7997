/*
 * Who am I: `enter` of the default stage1, executed in the directory of a running pod.  I stay on the
 * host as the operator's side; my child joins the app's control group and namespaces and becomes, by
 * stage2, a process with what the app has: the same steps as the app, from the same record (CVE-2019-10144,
 * -10145, -10147: rkt's had all capabilities, no filter and no control group).  Its exit status is mine.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "contract/app_record.h"
#include "contract/entry.h"
#include "contract/exit.h"
#include "contract/layout.h"
#include "stage1/entry/process.h"
#include "stage1/entry/terminal.h"
#include "stage1/run/fd_list.h"
#include "stage1/run/programs.h"
#include "sys/cgroup.h"

#define REPORT_MAX 65536

struct enter {
	const struct entry_args *args;
	char *uuid;
	pid_t pid;    /* the app's main process */
	int pidfd;
	int mntns;    /* its mount namespace */
	int users;    /* its user namespace, or -EBADF: it is ours */
	int record;   /* the app's, with our command */
	int seccomp;  /* its filter, or -EBADF */
	int stage2;   /* the program */
	int report[2]; /* what stage2 says */
	struct cg_leaf leaf;
	struct terminal terminal;
};

/* Nobody can join the user namespace that he is in (setns(2)), so whether it is another is looked at. */
static int find_users(struct enter *en, struct err *e)
{
	_cleanup_fd_ int fd = pod_process_namespace(en->pidfd, en->pid, "user", e);
	struct stat apps, ours;

	if (fd < 0)
		return fd;
	if (fstat(fd, &apps) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return err_sys(e, "stat user namespaces");
	if (apps.st_ino != ours.st_ino)
		en->users = take_fd(fd);
	return 0;
}

/* The app's main process, known to be that by its control group. */
static int find_app(struct enter *en, struct err *e)
{
	const char *app = en->args->app;
	_cleanup_free_ char *path = xasprintf(POD_STARTED "/%s", app);
	struct stat ours, pods;
	_cleanup_free_ char *of_app = NULL, *of_pod = NULL;
	int r;

	if (!path_is_name(app))
		return err_set(e, EINVAL, "%s is no name of an app", q(app));
	en->uuid = pod_uuid(e);
	if (!en->uuid)
		return -EINVAL;
	r = pod_read_pid(path, &en->pid, e);
	if (r == -ENOENT)
		return err_set(e, ESRCH, "app %s of pod %s is not running", app, en->uuid);
	if (r < 0)
		return r;
	en->pidfd = pod_process_open(en->pid, en->uuid, app, e);
	if (en->pidfd == -ESRCH)
		return err_ctx(e, en->pidfd, "app %s of pod %s is not running", app, en->uuid);
	if (en->pidfd < 0)
		return en->pidfd;
	/* The pod is the one that the caller means. */
	of_app = xasprintf("/proc/%d/ns/pid", (int) en->pid);
	of_pod = xasprintf("/proc/%d/ns/pid", (int) en->args->pid);
	if (stat(of_app, &ours) < 0 || stat(of_pod, &pods) < 0 || ours.st_ino != pods.st_ino)
		return err_set(e, ESRCH, "process %d is not the first of pod %s", (int) en->args->pid, en->uuid);
	en->mntns = pod_process_namespace(en->pidfd, en->pid, "mnt", e);
	return en->mntns < 0 ? en->mntns : find_users(en, e);
}

/* TERM describes the caller's terminal, which only the caller knows. */
static void set_term(struct app_record *rec)
{
	const char *term = getenv("TERM");
	char **env = NULL;

	for (char **v = rec->env; v && *v; v++)
		if (!str_starts(*v, "TERM="))
			strv_add(&env, *v);
	strv_push(&env, xasprintf("TERM=%s", term && *term ? term : "vt100"));
	strv_free(rec->env);
	rec->env = env;
}

static void replace(char **field, const char *value)
{
	if (!value)
		return;
	free(*field);
	*field = xstrdup(value);
}

/* The app's record with another program in it. */
static int make_record(struct enter *en, struct err *e)
{
	const struct entry_args *a = en->args;
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_RECORD, a->app);
	_cleanup_free_ char *filter = xasprintf(POD_APPSINFO "/%s/" APP_SECCOMP, a->app);
	_cleanup_app_record_ struct app_record rec = APP_RECORD_INIT;
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "open %s", path);
	r = app_record_read(fd, &rec, e);
	if (r < 0)
		return err_ctx(e, r, "%s", path);
	strv_free(rec.exec);
	rec.exec = strv_copy(a->command);
	replace(&rec.user, a->user);
	replace(&rec.group, a->group);
	rec.login_groups &= !a->group;
	set_term(&rec);
	app_record_encode(&rec, &out);
	en->record = fd_sealed("enter-record", out.buf, out.len, e);
	if (en->record < 0 || !rec.seccomp)
		return en->record < 0 ? en->record : 0;
	en->seccomp = open(filter, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return en->seccomp < 0 ? err_sys(e, "open %s", filter) : 0;
}

static int open_group(struct enter *en, struct err *e)
{
	return pod_open_group(en->uuid, en->args->app, &en->leaf, e);
}

static int open_program(struct enter *en, struct err *e)
{
	_cleanup_programs_ struct programs p = {-EBADF, -EBADF};
	int r = programs_open(&p, e);

	if (r < 0)
		return r;
	en->stage2 = programs_get(&p, "stage2", e);
	return en->stage2 < 0 ? en->stage2 : 0;
}

static int prepare(struct enter *en, struct err *e)
{
	int (*const steps[])(struct enter *, struct err *) = {find_app, make_record, open_group, open_program};

	for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
		int r = steps[i](en, e);

		if (r < 0)
			return r;
	}
	if (pipe2(en->report, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	return terminal_open(&en->terminal, en->pid, e);
}

/* The pid namespace holds for children only, so it is ours to set; afterwards we are as before. */
static pid_t fork_into(struct enter *en, struct err *e)
{
	_cleanup_fd_ int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int pods = own < 0 ? -EBADF : pod_process_namespace(en->pidfd, en->pid, "pid", e);
	pid_t pid;

	if (own < 0)
		return err_sys(e, "open /proc/self/ns/pid");
	if (pods < 0)
		return pods;
	if (setns(pods, CLONE_NEWPID) < 0)
		return err_sys(e, "join the pid namespace of app %s", en->args->app);
	pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid > 0 && setns(own, CLONE_NEWPID) < 0)
		return err_sys(e, "return to the own pid namespace");
	return pid;
}

/*
 * All but the mount namespace, which stage2 joins: until then its program is found on the host.  The
 * control group before its namespace: from inside, a group above it could not be left on v2.
 */
static int join(struct enter *en, struct err *e)
{
	static const char *const names[] = {"net", "ipc", "uts", "cgroup"};
	int r = 0;

	/* v2; the v1 hierarchies are joined by stage2, with descriptors. */
	if (en->leaf.dir >= 0)
		r = file_poke_at(en->leaf.dir, "cgroup.procs", "0");
	if (r < 0)
		return err_sysr(e, r, "join the control group of app %s", en->args->app);
	for (size_t i = 0; i < ELEMENTSOF(names); i++) {
		_cleanup_fd_ int fd = pod_process_namespace(en->pidfd, en->pid, names[i], e);

		if (fd < 0)
			return fd;
		if (setns(fd, 0) < 0)
			return err_sys(e, "join the %s namespace of app %s", names[i], en->args->app);
	}
	return 0;
}

/*
 * The terminal is its maker's, whom nobody in the pod can be; of its root it can become the app's (stage2/caps.c).
 */
static int own_terminal(const struct enter *en, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct id_map ids;
	int r;

	if (en->users < 0 || en->terminal.master < 0)
		return 0;
	r = file_read_line_at(AT_FDCWD, POD_PRIVATE_USERS, &text, e);
	if (r == 0 && id_map_parse(text, &ids) < 0)
		r = err_set(e, EINVAL, POD_PRIVATE_USERS ": %s", q(text));
	for (int fd = 0; r == 0 && fd < 3; fd++)
		if (en->terminal.replaced[fd] && fchown(fd, ids.shift, (gid_t) -1) < 0)
			r = err_sys(e, "owner of the terminal");
	return r;
}

/*
 * The last of those that are joined here: from inside, what the pod shares with the host could not be joined.  Until
 * the exec nobody in the pod may look into us, whatever capabilities he has there: our memory is the host's
 * (ptrace(2), "Ptrace access mode checking").
 */
static int join_users(struct enter *en, struct err *e)
{
	if (en->users < 0)
		return 0;
	if (setns(en->users, CLONE_NEWUSER) < 0)
		return err_sys(e, "join the user namespace of app %s", en->args->app);
	/* Who we were is nobody there; the operator's groups stay behind. */
	if (syscall(SYS_setgroups, 0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(e, "become root in the user namespace of app %s", en->args->app);
	return 0;
}

static int exec_stage2(struct enter *en, struct err *e)
{
	char *argv[] = {(char *) "gantry-stage2", (char *) "enter", NULL};
	char *env[] = {NULL};
	_cleanup_fd_list_ struct fd_list l = {0};

	fd_list_add(&l, en->record, "record");
	fd_list_add(&l, en->seccomp, "seccomp");
	fd_list_add(&l, en->mntns, "mntns");
	fd_list_add(&l, en->report[1], "error");
	for (size_t i = 0; i < en->leaf.n_join; i++)
		fd_list_add(&l, en->leaf.join[i], "cg%zu", i);
	return exec_fds(en->stage2, "stage2", argv, env, l.v, l.n, e);
}

/* Who am I: the first process of the operator's in the pod, on its way to stage2. */
static _noreturn_ void become_command(struct enter *en)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	int r = terminal_child(&en->terminal, &e);

	if (r == 0)
		r = own_terminal(en, &e);
	if (r == 0)
		r = join(en, &e);
	if (r == 0)
		r = join_users(en, &e);
	if (r == 0)
		(void) exec_stage2(en, &e);
	record_begin(&sb, 1);
	record_add(&sb, "message", err_text(&e));
	record_addf(&sb, "status", "%d", EXIT_FAILED);
	(void) write_all(en->report[1], sb.buf, sb.len);
	_exit(EXIT_FAILED);
}

/* What stage2 said, up to its exec; true when that did not happen: *ret_status is for us to exit with. */
static bool failed(struct enter *en, int *ret_status)
{
	_cleanup_record_ struct record rec = RECORD_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *data = NULL;
	const char *message, *status;
	uint64_t n = EXIT_FAILED;
	size_t len;

	en->report[1] = fd_close(en->report[1]);
	if (read_all(en->report[0], REPORT_MAX, &data, &len) < 0 || !len)
		return false;
	if (record_parse(&rec, take_ptr(data), len, 1, &e) < 0) {
		log_error("%s", err_text(&e));
		*ret_status = EXIT_FAILED;
		return true;
	}
	message = record_get(&rec, "message");
	status = record_get(&rec, "status");
	if (status)
		(void) parse_u64(status, 255, &n);
	log_error("%s", message ? message : "failed");
	*ret_status = (int) n;
	return true;
}

static int run(struct enter *en, struct err *e)
{
	_cleanup_fd_ int child_fd = -EBADF;
	int status, st;
	bool is_failed;
	pid_t child = fork_into(en, e);

	if (child < 0)
		return child;
	if (child == 0)
		become_command(en);
	child_fd = proc_pidfd_open(child);
	if (child_fd < 0)
		return err_sysr(e, child_fd, "open process %d", (int) child);
	is_failed = failed(en, &status);
	st = terminal_relay(&en->terminal, child_fd, child);
	return is_failed ? status : proc_status(st);
}

static void done(struct enter *en)
{
	int *const fds[] = {&en->pidfd, &en->mntns, &en->users, &en->record, &en->seccomp, &en->stage2, &en->report[0],
			    &en->report[1]};

	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		*fds[i] = fd_close(*fds[i]);
	cg_leaf_close(&en->leaf);
	terminal_done(&en->terminal);
	free(en->uuid);
}

int main(int argc, char **argv)
{
	_cleanup_entry_args_ struct entry_args args = ENTRY_ARGS_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct enter en = {
		.args = &args, .pidfd = -EBADF, .mntns = -EBADF, .users = -EBADF, .record = -EBADF, .seccomp = -EBADF,
		.stage2 = -EBADF, .report = {-EBADF, -EBADF}, .leaf = CG_LEAF_INIT, .terminal = TERMINAL_INIT,
	};
	int r;

	fd_sanitize_stdio();
	log_init("gantry: enter");
	/* The child is in the pod before it is stage2: nobody there may look into it (CVE-2016-9962). */
	(void) prctl(PR_SET_DUMPABLE, 0);
	r = fds_init(&e);
	if (r == 0)
		r = entry_parse(ENTRY_ENTER, argc, argv, &args, &e);
	log_set_debug(args.debug);
	if (r == 0)
		r = prepare(&en, &e);
	if (r == 0)
		r = run(&en, &e);
	if (r < 0)
		log_error("%s", err_text(&e));
	done(&en);
	return r < 0 ? EXIT_FAILED : r;
}
