/* The programs that are spawned here are this one again, with a part to play as first argument. */
#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/parse.h"
#include "base/proc.h"

static char *const no_env[] = {NULL};

/* --- the parts ---------------------------------------------------------------------------------- */

static int part_cat(void)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(0, buf, sizeof buf)) > 0)
		if (write_all(1, buf, (size_t) n) < 0)
			return 1;
	return 0;
}

static int part_flood(int fd)
{
	char buf[4096];

	memset(buf, 'x', sizeof buf);
	while (write_all(fd, buf, sizeof buf) == 0)
		;
	return 1;
}

static int part_sleep(void)
{
	while (pause() < 0)
		;
	return 0;
}

/* Until nobody reads our output any more. */
static int part_linger(void)
{
	struct pollfd p = {.fd = 1};

	return poll(&p, 1, 60000) != 1;
}

/* A grandchild keeps our output open; we are gone. */
static int part_daemon(void)
{
	if (fork() == 0)
		return part_linger();
	return write_all(1, "done", 4) < 0;
}

/* Leaves the process group in which it would be killed. */
static int part_stray(void)
{
	pid_t pid = fork();

	if (pid == 0)
		return part_linger();
	(void) setpgid(pid, pid);
	if (setpgid(0, pid) < 0)
		return 3;
	return part_sleep();
}

static int part_fds(void)
{
	_cleanup_err_ struct err e = ERR_INIT;
	char c;
	int fd;

	if (fds_init(&e) < 0)
		return 1;
	fd = fds_take("data");
	if (fd < 0 || read(fd, &c, 1) != 1 || c != 'd')
		return 2;
	/* 0, 1, 2, data, the directory being read, "." and "..". */
	return count_fds() == 4 + 1 + 2 ? 0 : 3;
}

static int part_where(void)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0);

	return write_all(1, cwd, strlen(cwd)) < 0;
}

static int part_streams(void)
{
	return write_all(1, "out", 3) < 0 || write_all(2, "err", 3) < 0 || part_cat();
}

static int part_signals(void)
{
	struct sigaction sa;
	sigset_t set;

	(void) sigprocmask(SIG_SETMASK, NULL, &set);
	(void) sigaction(SIGPIPE, NULL, &sa);
	return sigisemptyset(&set) && sa.sa_handler == SIG_DFL ? 0 : 1;
}

static int part(const char *name)
{
	uint64_t status;

	if (parse_u64(name, 255, &status) == 0)
		return (int) status;
	if (!strcmp(name, "kill"))
		return raise(SIGKILL);
	if (!strcmp(name, "cat"))
		return part_cat();
	if (!strcmp(name, "flood-out"))
		return part_flood(1);
	if (!strcmp(name, "flood-err"))
		return part_flood(2);
	if (!strcmp(name, "sleep"))
		return part_sleep();
	if (!strcmp(name, "daemon"))
		return part_daemon();
	if (!strcmp(name, "stray"))
		return part_stray();
	if (!strcmp(name, "fds"))
		return part_fds();
	if (!strcmp(name, "where"))
		return part_where();
	if (!strcmp(name, "streams"))
		return part_streams();
	if (!strcmp(name, "signals"))
		return part_signals();
	return 254;
}

static char *argv_of_part[3];

static struct spawn spawn_part(const char *name)
{
	struct spawn sp = SPAWN_INIT;

	argv_of_part[0] = (char *) "part";
	argv_of_part[1] = (char *) name;
	sp.path = "/proc/self/exe";
	sp.argv = argv_of_part;
	sp.env = no_env;
	return sp;
}

static int run_part(const char *name)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct spawn sp = spawn_part(name);
	pid_t pid = proc_spawn(&sp, NULL, &e);

	if (pid < 0)
		fail_msg("%s", err_text(&e));
	return proc_wait(pid);
}

/* --- spawning ----------------------------------------------------------------------------------- */

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_status(void **state _unused_)
{
	_cleanup_free_ char *exited = NULL, *killed = NULL;
	unsigned fds = count_fds();
	int st;

	assert_int_equal(proc_status(run_part("0")), 0);
	st = run_part("3");
	assert_int_equal(proc_status(st), 3);
	exited = proc_describe(st);
	assert_string_equal(exited, "exited with status 3");
	st = run_part("kill");
	assert_int_equal(proc_status(st), 128 + 9);
	killed = proc_describe(st);
	assert_string_equal(killed, "was killed by signal 9 (Killed)");
	assert_int_equal(proc_wait(getpid()), -ECHILD);
	assert_int_equal(count_fds(), fds);
	assert_no_children();
}

static void test_exec_fails(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct spawn sp = spawn_part("0");
	unsigned fds = count_fds();
	int pidfd = -7;

	sp.path = "/nonexistent";
	assert_int_equal(proc_spawn(&sp, &pidfd, &e), -ENOENT);
	assert_err(&e, "exec /nonexistent: No such file or directory");
	sp.path = "/etc/passwd";
	assert_int_equal(proc_spawn(&sp, &pidfd, &e), -EACCES);
	assert_err(&e, "exec /etc/passwd: Permission denied");
	sp = spawn_part("0");
	sp.out = 1000;
	assert_int_equal(proc_spawn(&sp, &pidfd, &e), -EBADF);
	assert_err(&e, "place standard streams of part: Bad file descriptor");
	sp = spawn_part("0");
	sp.cwd_fd = 0;
	assert_int_equal(proc_spawn(&sp, &pidfd, NULL), -ENOTDIR);
	assert_int_equal(pidfd, -7);
	assert_int_equal(count_fds(), fds);
	assert_no_children();
}

static void test_fds(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct spawn sp = spawn_part("fds");
	unsigned fds = count_fds();
	int data = fd_sealed("data", "d", 1, &e), stray = fcntl(2, F_DUPFD, 60);
	struct fd_name name = {"data", data};

	sp.fds = &name;
	sp.n_fds = 1;
	assert_int_equal(proc_wait(proc_spawn(&sp, NULL, &e)), 0);
	fd_close(data);
	fd_close(stray);
	assert_int_equal(count_fds(), fds);
}

/* Signals that we block or ignore are not the child's business. */
static void test_signals(void **state _unused_)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	(void) sigprocmask(SIG_BLOCK, &set, &old);
	(void) signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run_part("signals"), 0);
	(void) signal(SIGPIPE, SIG_DFL);
	(void) sigprocmask(SIG_SETMASK, &old, NULL);
}

static void test_pidfd(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct spawn sp = spawn_part("sleep");
	unsigned fds = count_fds();
	int pidfd, copy;
	pid_t pid = proc_spawn(&sp, &pidfd, &e);

	assert_true(pid > 0 && pidfd >= 0);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	copy = proc_pidfd_open(pid);
	assert_true(copy >= 0);
	assert_int_equal(proc_wait_pidfd(pidfd, 0), -ETIMEDOUT);
	assert_int_equal(proc_wait_pidfd(pidfd, 20), -ETIMEDOUT);
	assert_int_equal(proc_pidfd_kill(copy, SIGTERM), 0);
	assert_int_equal(proc_wait_pidfd(pidfd, -1), 0);
	assert_int_equal(proc_status(proc_wait(pid)), 128 + SIGTERM);
	assert_int_equal(proc_pidfd_kill(pidfd, SIGTERM), -ESRCH);
	assert_int_equal(proc_pidfd_open(-1), -EINVAL);
	fd_close(pidfd);
	fd_close(copy);
	assert_int_equal(count_fds(), fds);
}

/* Who dies without a word takes its child along. */
static void test_die_with_parent(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct pollfd p;
	int pipefd[2];
	pid_t middle;

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	middle = fork();
	if (middle == 0) {
		struct spawn sp = spawn_part("sleep");

		sp.out = pipefd[1];
		sp.die_with_parent = true;
		(void) proc_spawn(&sp, NULL, &e);
		(void) raise(SIGKILL);
	}
	fd_close(pipefd[1]);
	/* The end of file comes when the sleeper, who has the other end, is gone. */
	p = (struct pollfd) {.fd = pipefd[0], .events = POLLIN};
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_true(p.revents & POLLHUP);
	fd_close(pipefd[0]);
	assert_int_equal(proc_status(proc_wait(middle)), 128 + SIGKILL);
}

/* --- proc_run ----------------------------------------------------------------------------------- */

#define LONG 60000 /* ms: no test waits for it */

struct answer {
	int r;
	struct proc_io io;
	struct err e;
};

static struct answer run(const char *name, const char *input, size_t len, size_t out_limit, int timeout_ms)
{
	struct answer a = {
		.io = {.input = input, .input_len = len, .out_limit = out_limit, .err_limit = 100, .timeout_ms = timeout_ms},
	};
	struct spawn sp = spawn_part(name);
	unsigned fds = count_fds();

	a.r = proc_run(&sp, &a.io, &a.e);
	assert_int_equal(count_fds(), fds);
	assert_no_children();
	return a;
}

static void answer_done(struct answer *a)
{
	free(a->io.out);
	free(a->io.err);
	err_done(&a->e);
}

static void test_run(void **state _unused_)
{
	_cleanup_free_ char *big = xcalloc(1, 1u << 20);
	struct answer a;

	memset(big, 'b', 1u << 20);
	a = run("cat", big, 1u << 20, 1u << 20, LONG);
	assert_int_equal(a.r, 0);
	assert_int_equal(a.io.out_len, 1u << 20);
	assert_memory_equal(a.io.out, big, 1u << 20);
	assert_string_equal(a.io.err, "");
	answer_done(&a);

	a = run("streams", "in", 2, 100, LONG);
	assert_int_equal(a.r, 0);
	assert_string_equal(a.io.out, "outin");
	assert_string_equal(a.io.err, "err");
	answer_done(&a);

	a = run("7", NULL, 0, 100, -1);
	assert_int_equal(proc_status(a.r), 7);
	assert_string_equal(a.io.out, "");
	answer_done(&a);

	/* Input that nobody reads. */
	a = run("5", big, 1u << 20, 100, LONG);
	assert_int_equal(proc_status(a.r), 5);
	answer_done(&a);
}

static void test_run_limits(void **state _unused_)
{
	struct answer a = run("flood-out", NULL, 0, 10000, LONG);

	assert_int_equal(a.r, -EFBIG);
	assert_string_equal(err_text(&a.e), "part: more than 10000 bytes of output");
	assert_true(a.io.out_len <= 10000);
	answer_done(&a);

	a = run("sleep", NULL, 0, 100, 50);
	assert_int_equal(a.r, -ETIMEDOUT);
	assert_string_equal(err_text(&a.e), "part: no answer within 50 ms");
	answer_done(&a);

	/* Standard error is cut, not refused; and a flood of it does not stop the clock. */
	a = run("flood-err", NULL, 0, 100, 100);
	assert_int_equal(a.r, -ETIMEDOUT);
	assert_int_equal(a.io.err_len, 100);
	answer_done(&a);

	a = run("stray", NULL, 0, 100, 50);
	assert_int_equal(a.r, -ETIMEDOUT);
	answer_done(&a);
}

static void test_run_grandchild(void **state _unused_)
{
	struct answer a = run("daemon", NULL, 0, 100, LONG);

	assert_int_equal(a.r, 0);
	assert_string_equal(a.io.out, "done");
	answer_done(&a);
}

static void test_run_cwd(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct spawn sp = spawn_part("where");
	struct proc_io io = {.out_limit = 1000, .err_limit = 100, .timeout_ms = LONG};
	int dir = scratch_open();

	sp.cwd_fd = dir;
	assert_int_equal(proc_run(&sp, &io, &e), 0);
	assert_string_equal(io.out, scratch_path);
	free(io.out);
	free(io.err);
	scratch_close(dir);
}

static void test_run_fails(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct spawn sp = spawn_part("0");
	struct proc_io io = {.out_limit = 1000, .err_limit = 100, .timeout_ms = LONG};
	struct rlimit old, few;
	unsigned fds = count_fds();

	sp.path = "/nonexistent";
	assert_int_equal(proc_run(&sp, &io, &e), -ENOENT);
	assert_err(&e, "exec /nonexistent: No such file or directory");
	assert_string_equal(io.out, "");
	free(io.out);
	free(io.err);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	/* No room for the first, second, third pipe, or the one that reports exec. */
	for (rlim_t room = 0; room < 8; room++) {
		struct proc_io nothing = {.out_limit = 1000, .err_limit = 100, .timeout_ms = LONG};
		int lowest = fd_copy(2);

		fd_close(lowest);
		few = (struct rlimit) {(rlim_t) lowest + room, old.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		assert_int_equal(proc_run(&sp, &nothing, &e), -EMFILE);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_err(&e, "pipe: Too many open files");
		free(nothing.out);
		free(nothing.err);
		assert_int_equal(count_fds(), fds);
	}
	assert_no_children();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),	      cmocka_unit_test(test_exec_fails),
		cmocka_unit_test(test_fds),	      cmocka_unit_test(test_signals),
		cmocka_unit_test(test_pidfd),	      cmocka_unit_test(test_die_with_parent),
		cmocka_unit_test(test_run),	      cmocka_unit_test(test_run_limits),
		cmocka_unit_test(test_run_grandchild), cmocka_unit_test(test_run_cwd),
		cmocka_unit_test(test_run_fails),
	};

	if (argc > 1)
		return part(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
