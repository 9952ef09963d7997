#include "tests/unit/unit.h"

#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/block.h"

static void test_basics(void **state _unused_)
{
	unsigned fds = count_fds();
	int fd = fd_copy(STDERR_FILENO);

	assert_true(fd >= 3);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_set_cloexec(fd, false), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(fd_copy(-1), -EBADF);
	assert_int_equal(fd_set_cloexec(-1, true), -EBADF);
	assert_int_equal(fd_set_nonblock(-1), -EBADF);
	errno = EXDEV;
	fd = fd_close(fd);
	assert_int_equal(fd, -EBADF);
	assert_int_equal(fd_close(-1), -EBADF);
	assert_int_equal(errno, EXDEV);
	{
		_cleanup_fd_ int a = fd_copy(2), b = -EBADF;

		b = take_fd(a);
		assert_int_equal(a, -EBADF);
		assert_true(b >= 3);
	}
	assert_int_equal(count_fds(), fds);
}

/* What a child says by its exit status. */
static int in_child(int (*fn)(void))
{
	int st;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return st;
}

static int child_cloexec(void)
{
	int fds[40];

	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		fds[i] = fcntl(2, F_DUPFD, 3);
	if (fd_cloexec_all() < 0)
		return 1;
	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		if (fcntl(fds[i], F_GETFD) != FD_CLOEXEC)
			return 2;
	return fcntl(2, F_GETFD) == 0 ? 0 : 3;
}

static int child_cloexec_by_proc(void)
{
	return block_syscall(436 /* close_range */, ENOSYS) < 0 ? 9 : child_cloexec();
}

static int child_sanitize(void)
{
	struct stat st;

	for (int i = 0; i < 3; i++)
		close(i);
	fd_sanitize_stdio();
	for (int i = 0; i < 3; i++)
		if (fstat(i, &st) < 0 || !S_ISCHR(st.st_mode))
			return 1;
	/* The next one does not land there. */
	return open("/dev/null", O_RDONLY | O_CLOEXEC) > 2 ? 0 : 2;
}

static void test_children(void **state _unused_)
{
	assert_int_equal(in_child(child_cloexec), 0);
	assert_int_equal(in_child(child_cloexec_by_proc), 0);
	assert_int_equal(in_child(child_sanitize), 0);
}

static void test_read_write(void **state _unused_)
{
	_cleanup_free_ char *text = NULL;
	unsigned fds = count_fds();
	char buf[8];
	int p[2];
	size_t len;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write_all(p[1], "abcdefgh", 8), 0);
	assert_int_equal(read_exact(p[0], buf, 5), 5);
	assert_memory_equal(buf, "abcde", 5);
	fd_close(p[1]);
	assert_int_equal(read_exact(p[0], buf, 5), -EIO);
	assert_int_equal(read_exact(p[0], buf, 5), 0);
	fd_close(p[0]);

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write_all(p[1], "12345", 5), 0);
	fd_close(p[1]);
	assert_int_equal(read_all(p[0], 5, &text, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "12345");
	fd_close(p[0]);
	free(take_ptr(text));

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(write_all(p[1], "12345", 5), 0);
	fd_close(p[1]);
	assert_int_equal(read_all(p[0], 4, &text, &len), -EFBIG);
	assert_null(text);
	fd_close(p[0]);

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	fd_close(p[0]);
	(void) signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write_all(p[1], "x", 1), -EPIPE);
	(void) signal(SIGPIPE, SIG_DFL);
	fd_close(p[1]);
	assert_int_equal(write_all(-1, "", 0), 0);
	assert_int_equal(write_all(-1, "x", 1), -EBADF);
	assert_int_equal(read_all(-1, 4, &text, &len), -EBADF);
	assert_int_equal(count_fds(), fds);
}

static void test_sealed(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL;
	unsigned fds = count_fds();
	int fd = fd_sealed("x", "content", 7, &e);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fd, "y", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(read_all(fd, 100, &text, NULL), 0);
	assert_string_equal(text, "content");
	fd_close(fd);
	assert_int_equal(count_fds(), fds);
}

/* --- across exec -------------------------------------------------------------------------------- */

/* We are the next program: `lock` and `m0`, `m1` were announced, nothing else is open. */
static int receive(void)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct fd_name rest[2];
	int lock, n;

	if (fds_init(&e) < 0 || getenv("GANTRY_FDS"))
		return 1;
	if (!str_eq(getenv("KEEP"), "me"))
		return 2;
	lock = fds_take("lock");
	if (lock < 3 || fcntl(lock, F_GETFD) != FD_CLOEXEC || fds_take("lock") != -ENOENT)
		return 3;
	if (fds_take("absent") != -ENOENT || fds_take_n("m", 1) < 3 || fds_take_n("m", 1) != -ENOENT)
		return 4;
	n = fds_take_prefix("m", rest, 2);
	if (n != 1 || !str_eq(rest[0].name, "0") || rest[0].fd < 3)
		return 5;
	/* 0, 1, 2, three announced, the directory that count_fds() reads; "." and "..". */
	return count_fds() == 3 + 3 + 1 + 2 ? 0 : 6;
}

/* Where we are; valgrind answers for readlink(2), but not for what executes /proc/self/exe. */
static const char *self_path(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n < 0 ? 0 : n] = '\0';
	return path;
}

static int child_exec(void)
{
	static char *const argv[] = {(char *) "fd", (char *) "receive", NULL};
	static char *const env[] = {(char *) "KEEP=me", (char *) "GANTRY_FDS=stale=9", NULL};
	_cleanup_err_ struct err e = ERR_INIT;
	const struct fd_name fds[] = {
		{"lock", fd_copy(2)}, {"absent", -EBADF}, {"m0", fd_copy(2)}, {"m1", fd_copy(2)},
	};

	/* Strays, without close-on-exec. */
	(void) fcntl(2, F_DUPFD, 50);
	(void) exec_fds(-EBADF, self_path(), argv, env, fds, ELEMENTSOF(fds), &e);
	return 99;
}

/* The same by descriptor. */
static int child_exec_fd(void)
{
	static char *const argv[] = {(char *) "fd", (char *) "receive", NULL};
	static char *const env[] = {(char *) "KEEP=me", NULL};
	_cleanup_err_ struct err e = ERR_INIT;
	int self = open(self_path(), O_PATH | O_CLOEXEC);
	const struct fd_name fds[] = {{"lock", fd_copy(2)}, {"m0", fd_copy(2)}, {"m1", fd_copy(2)}};

	(void) exec_fds(self, NULL, argv, env, fds, ELEMENTSOF(fds), &e);
	return 99;
}

static int child_exec_fails(void)
{
	static char *const argv[] = {(char *) "x", NULL};
	_cleanup_err_ struct err e = ERR_INIT;
	const struct fd_name bad = {"lock", 1000};

	if (exec_fds(-EBADF, "/nonexistent", argv, NULL, NULL, 0, &e) != -ENOENT ||
	    strcmp(err_text(&e), "exec /nonexistent: No such file or directory"))
		return 1;
	if (exec_fds(-EBADF, "/bin/true", argv, NULL, &bad, 1, &e) != -EBADF ||
	    strcmp(err_text(&e), "keep descriptor lock open: Bad file descriptor"))
		return 2;
	return 0;
}

static void test_exec(void **state _unused_)
{
	assert_int_equal(in_child(child_exec), 0);
	assert_int_equal(in_child(child_exec_fd), 0);
	assert_int_equal(in_child(child_exec_fails), 0);
}

static const char *announced_text, *announced_error;

static int child_init(void)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int r;

	(void) setenv("GANTRY_FDS", announced_text, 1);
	r = fds_init(&e);
	if (!announced_error)
		return r == 0 ? 0 : 1;
	return r == -EINVAL && str_eq(err_text(&e), announced_error) ? 0 : 2;
}

static void test_init_refuses(void **state _unused_)
{
	static const char *const rows[][2] = {
		{"", "GANTRY_FDS: bad entry \"\""},
		{"lock", "GANTRY_FDS: bad entry \"lock\""},
		{"=5", "GANTRY_FDS: bad entry \"=5\""},
		{"lock=", "GANTRY_FDS: bad entry \"lock=\""},
		{"lock=x", "GANTRY_FDS: bad entry \"lock=x\""},
		{"lock=-1", "GANTRY_FDS: bad entry \"lock=-1\""},
		{"lock=2", "GANTRY_FDS: bad entry \"lock=2\""},
		{"lock=999", "GANTRY_FDS: bad entry \"lock=999\""},
		{"lock=99999999999", "GANTRY_FDS: bad entry \"lock=99999999999\""},
		{"0123456789012345678901234567890123=3",
		 "GANTRY_FDS: bad entry \"0123456789012345678901234567890123=3\""},
	};
	_cleanup_fd_ int fd = fd_copy(2);
	_cleanup_free_ char *good = xasprintf("a=%d,b=%d", fd, fd), *cut = xasprintf("a=%d,", fd);

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		announced_text = rows[i][0];
		announced_error = rows[i][1];
		assert_int_equal(in_child(child_init), 0);
	}
	announced_text = good;
	announced_error = NULL;
	assert_int_equal(in_child(child_init), 0);
	announced_text = cut;
	announced_error = "GANTRY_FDS: bad entry \"\"";
	assert_int_equal(in_child(child_init), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basics),	   cmocka_unit_test(test_children),
		cmocka_unit_test(test_read_write), cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_exec),	   cmocka_unit_test(test_init_refuses),
	};

	if (argc > 1 && !strcmp(argv[1], "receive"))
		return receive();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
