#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/lock.h"

static void test_kinds(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();
	unsigned fds = count_fds();
	int a = lock_dir_at(dir, ".", LOCK_SHARED, false, &e), b = lock_dir_at(dir, ".", LOCK_SHARED, false, &e);

	assert_true(a >= 0 && b >= 0);
	assert_int_equal(fcntl(a, F_GETFD), FD_CLOEXEC);
	assert_int_equal(lock_fd(a, LOCK_EXCLUSIVE, false), -EWOULDBLOCK);
	assert_int_equal(lock_dir_at(dir, ".", LOCK_EXCLUSIVE, false, &e), -EWOULDBLOCK);
	assert_err(&e, "lock .: Resource temporarily unavailable");
	b = fd_close(b);
	assert_int_equal(lock_fd(a, LOCK_EXCLUSIVE, false), 0);
	assert_int_equal(lock_dir_at(dir, ".", LOCK_SHARED, false, &e), -EWOULDBLOCK);
	assert_int_equal(lock_fd(a, LOCK_UNLOCK, false), 0);
	b = lock_dir_at(dir, ".", LOCK_EXCLUSIVE, false, &e);
	assert_true(b >= 0);
	fd_close(a);
	fd_close(b);
	assert_int_equal(count_fds(), fds);
	scratch_close(dir);
}

static void test_file(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open(), fd;
	unsigned fds = count_fds();
	struct stat st;

	err_done(&e);
	fd = lock_file_at(dir, "l", LOCK_EXCLUSIVE, true, &e);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lock_file_at(dir, "l", LOCK_EXCLUSIVE, false, &e), -EWOULDBLOCK);
	fd_close(fd);
	assert_int_equal(symlinkat("l", dir, "link"), 0);
	assert_int_equal(lock_file_at(dir, "link", LOCK_EXCLUSIVE, false, &e), -ELOOP);
	assert_err(&e, "open link: Too many levels of symbolic links");
	assert_int_equal(lock_dir_at(dir, "l", LOCK_SHARED, false, &e), -ENOTDIR);
	assert_int_equal(lock_dir_at(dir, "missing", LOCK_SHARED, false, &e), -ENOENT);
	assert_int_equal(lock_fd(-1, LOCK_SHARED, false), -EBADF);
	assert_int_equal(count_fds(), fds);
	scratch_close(dir);
}

/* The lock lives in whatever process has a copy, and dies with the last of them, however that dies. */
static void test_processes(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open(), fd = lock_dir_at(dir, ".", LOCK_EXCLUSIVE, false, &e), st;
	pid_t pid = fork();

	assert_true(fd >= 0);
	if (pid == 0)
		for (;;)
			pause();
	fd_close(fd);
	assert_int_equal(lock_dir_at(dir, ".", LOCK_EXCLUSIVE, false, NULL), -EWOULDBLOCK);
	assert_int_equal(kill(pid, SIGKILL), 0);
	/* Waiting ends when it is dead. */
	fd = lock_dir_at(dir, ".", LOCK_EXCLUSIVE, true, &e);
	assert_true(fd >= 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	fd_close(fd);
	scratch_close(dir);
}

static void on_alarm(int sig _unused_)
{
}

/* A signal does not end the wait. */
static void test_interrupted(void **state _unused_)
{
	struct sigaction sa = {.sa_handler = on_alarm}, old;
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open(), fd, p[2];
	pid_t parent = getpid(), pid;
	char c;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(sigaction(SIGALRM, &sa, &old), 0);
	pid = fork();
	if (pid == 0) {
		fd = lock_dir_at(dir, ".", LOCK_EXCLUSIVE, false, &e);
		(void) write_all(p[1], "x", 1);
		for (int i = 0; i < 20; i++) {
			(void) kill(parent, SIGALRM);
			(void) usleep(2000);
		}
		_exit(0);
	}
	assert_int_equal(read_exact(p[0], &c, 1), 1);
	fd = lock_dir_at(dir, ".", LOCK_EXCLUSIVE, true, &e);
	assert_true(fd >= 0);
	while (waitpid(pid, NULL, 0) < 0)
		assert_int_equal(errno, EINTR);
	(void) sigaction(SIGALRM, &old, NULL);
	fd_close(fd);
	fd_close(p[0]);
	fd_close(p[1]);
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
