/*
 * Starting stage2, as the app or as its handler.  The child is born in the app's v2 control group
 * where there is one, so that nothing of it is ever accounted elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "stage1/init/init.h"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

#define CHILD_STACK 65536

/* What stage2 is started as. */
struct phase {
	const char *word, *number; /* number: of a check, or NULL */
	bool handler, quiet;	   /* quiet: nothing of what it prints is kept */
};
static const struct phase phases[] = {
	{"main", NULL, false, false},
	{"again", NULL, false, false},
	{"post-stop", NULL, true, false},
};

static const struct phase *find_phase(const char *word)
{
	size_t i = 0;

	while (strcmp(phases[i].word, word))
		i++;
	return phases + i;
}

/*
 * Only we can see which number the host has for us: procfs answers in the namespace that it belongs
 * to.  Of the host's we have the link `self` and nothing else, so nothing of it is to be got at here.
 */
static void report_host_pid(const struct pod *pod, int report)
{
	char text[64] = "hostpid=";
	size_t skip = strlen(text);
	ssize_t n = pod->hostself < 0 ? -1
				      : readlinkat(pod->hostself, "", text + skip,
						   sizeof text - skip - 1);

	if (n <= 0)
		return;
	text[skip + (size_t) n] = '\0';
	(void) write_all(report, text, skip + (size_t) n + 1);
}

/* What the new process has as stream 0, 1 or 2. */
static int stream_fd(const struct pod *pod, const struct app *a, bool handler, int which)
{
	if (a->streams[which] == STREAM_GIVEN && !handler)
		return a->given[which];
	/* A handler has no input, and what it prints is logged whatever its app had. */
	return which == 0 || a->streams[which] == STREAM_NULL ? pod->null : a->out_write[which - 1];
}

static int place_streams(const struct pod *pod, const struct app *a, const struct phase *phase)
{
	for (int i = 0; i < 3; i++)
		if (dup2(phase->quiet ? pod->null : stream_fd(pod, a, phase->handler, i), i) < 0)
			return -errno;
	return 0;
}

/* Everything that the child has to know. */
struct birth {
	const struct pod *pod;
	const struct app *app;
	const struct phase *phase;
	int report;
	struct fd_name fds[APP_FDS_MAX + 2];
	size_t n_fds;
	char *announced; /* they, for the environment */
};

/*
 * All that is allocated for the child, which must not do it itself: it may have our memory, and what it
 * took would be lost to us with every start and every check.
 */
static int conceive(struct birth *b, struct err *e)
{
	const struct app *a = b->app;

	memcpy(b->fds, a->fds, a->n_fds * sizeof *b->fds);
	b->n_fds = a->n_fds;
	b->fds[b->n_fds++] = (struct fd_name) {"error", b->report};
	b->fds[b->n_fds++] = (struct fd_name) {"mntns", a->mntns};
	return fds_announce(b->fds, b->n_fds, &b->announced, e);
}

/*
 * Who am I: the process that will be the app, between fork and the exec of stage2. init reaps me.
 */
static _noreturn_ void child(const struct birth *b)
{
	const struct pod *pod = b->pod;
	char *const argv[] = {(char[]) {"stage2"}, (char *) b->phase->word, (char *) b->phase->number, NULL};
	char *const env[] = {b->announced, NULL};
	_cleanup_err_ struct err e = ERR_INIT;

	if (b->report >= 0)
		report_host_pid(pod, b->report);
	if (place_streams(pod, b->app, b->phase) < 0)
		(void) err_sys(&e, "place standard streams");
	else
		(void) exec_announced(pod->stage2, "stage2", argv, env, b->fds, b->n_fds, &e);
	(void) dprintf(b->report, "step=start%cmessage=%s%ccode=%d%c", 0, err_text(&e), 0, e.code, 0);
	/* Not ours alone. */
	err_done(&e);
	_exit(254);
}

static int child_main(void *arg)
{
	child(arg);
}

/*
 * As vfork(2): we stand still until the child has executed stage2, and nothing is copied.  It gets a
 * stack of its own.
 */
static pid_t start_child(struct birth *b)
{
#ifdef __SANITIZE_ADDRESS__
	/* The sanitizer does not follow us onto another stack. */
	pid_t pid = fork();

	return pid == 0 ? child_main(b) : pid;
#else
	char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t pid;

	if (stack == MAP_FAILED)
		return -1;
	pid = clone(child_main, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, b);
	(void) munmap(stack, CHILD_STACK);
	return pid;
#endif
}

/* Born into a v2 control group by clone3(2) since Linux 5.7; before that the child moves itself. */
static pid_t start_child_into(int cgroup, struct birth *b)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t) cgroup,
	};
	pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof args);

	if (pid == 0)
		return child_main(b);
	if (pid > 0 || (errno != ENOSYS && errno != EINVAL && errno != E2BIG && errno != EPERM))
		return pid;
	pid = fork();
	if (pid)
		return pid;
	if (file_poke_at(cgroup, "cgroup.procs", "0") < 0)
		_exit(254);
	return child_main(b);
}

static pid_t start(struct birth *b, struct err *e)
{
	int cgroup = b->app->cgroup;
	pid_t pid = conceive(b, e);

	if (pid < 0)
		return pid;
	pid = cgroup < 0 ? start_child(b) : start_child_into(cgroup, b);
	if (pid < 0)
		pid = err_sys(e, "fork");
	free(b->announced);
	return pid;
}

static int make_pipes(struct app *a, bool handler, struct err *e)
{
	for (int i = 0; i < 2; i++) {
		enum pod_stream s = a->streams[i + 1];
		int fds[2];

		/* The handler goes on with the pipes of its app. */
		if (a->out_write[i] >= 0 || s == STREAM_NULL || (s == STREAM_GIVEN && !handler))
			continue;
		if (pipe2(fds, O_CLOEXEC) < 0)
			return err_sys(e, "pipe");
		a->out[i].fd = fds[0];
		a->out_write[i] = fds[1];
		if (fd_set_nonblock(fds[0]) < 0)
			return err_sys(e, "pipe");
	}
	return 0;
}

static bool starts_again(const struct app *a)
{
	return a->rec->restart > RESTART_NEVER;
}

void spawn_close(struct app *a)
{
	size_t n = 0;

	/* Whoever comes after the app needs the record, the filter and the v1 groups once more. */
	for (size_t i = 0; i < a->n_fds; i++) {
		const char *name = a->fds[i].name;

		if (a->keeps_namespace && strcmp(name, "root") && strcmp(name, "pts") &&
		    strncmp(name, "mount", 5) && (starts_again(a) || strncmp(name, "listen", 6)))
			a->fds[n++] = a->fds[i];
		else
			(void) fd_close(a->fds[i].fd);
	}
	a->n_fds = n;
	for (int i = 0; i < 3 && !starts_again(a); i++)
		a->given[i] = fd_close(a->given[i]);
	for (int i = 0; i < 2 && !a->has_post_stop && !starts_again(a); i++)
		a->out_write[i] = fd_close(a->out_write[i]);
	if (!a->keeps_namespace)
		a->cgroup = fd_close(a->cgroup);
}

void spawn_forget(struct app *a)
{
	for (size_t i = 0; i < a->n_fds; i++)
		(void) fd_close(a->fds[i].fd);
	a->n_fds = 0;
	for (int i = 0; i < 3; i++)
		a->given[i] = fd_close(a->given[i]);
	a->cgroup = fd_close(a->cgroup);
	a->mntns = fd_close(a->mntns);
}

pid_t spawn_check(struct pod *pod, struct app *a, const struct watch *w)
{
	const struct phase phase = {"check", w->number, false, true};
	struct birth b = {.pod = pod, .app = a, .phase = &phase, .report = -EBADF};

	return start(&b, NULL);
}

int spawn_stage2(struct pod *pod, struct app *a, const char *word, struct err *e)
{
	struct birth b = {.pod = pod, .app = a, .phase = find_phase(word)};
	int report[2], r = make_pipes(a, b.phase->handler, e);

	if (r < 0)
		return r;
	/* A socket where stage2 has to send a descriptor back. */
	if ((a->keeps_namespace ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report)
			      : pipe2(report, O_CLOEXEC)) < 0)
		return err_sys(e, "pipe");
	a->report_len = 0;
	a->report_ready = a->report_failed = false;
	b.report = report[1];
	a->pid = start(&b, e);
	if (a->pid < 0) {
		r = a->pid;
		a->pid = 0;
	}
	(void) fd_close(report[1]);
	a->report = report[0];
	(void) fd_set_nonblock(a->report);
	return r;
}
