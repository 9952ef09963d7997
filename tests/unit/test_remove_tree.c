#include "tests/unit/unit.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/fault.h"

int __real_openat(int dirfd, const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, mode_t mode);
int __real_unlinkat(int dirfd, const char *path, int flags);
int __wrap_unlinkat(int dirfd, const char *path, int flags);
int __real_renameat(int from, const char *a, int to, const char *b);
int __wrap_renameat(int from, const char *a, int to, const char *b);
int __real_fcntl(int fd, int cmd, long arg);
int __wrap_fcntl(int fd, int cmd, long arg);
DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);

int __wrap_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return fault_now() ? -1 : __real_openat(dirfd, path, flags, mode);
}

int __wrap_unlinkat(int dirfd, const char *path, int flags)
{
	return fault_now() ? -1 : __real_unlinkat(dirfd, path, flags);
}

int __wrap_renameat(int from, const char *a, int to, const char *b)
{
	return fault_now() ? -1 : __real_renameat(from, a, to, b);
}

int __wrap_fcntl(int fd, int cmd, long arg)
{
	return fault_now() ? -1 : __real_fcntl(fd, cmd, arg);
}

DIR *__wrap_fdopendir(int fd)
{
	return fault_now() ? NULL : __real_fdopendir(fd);
}

static void make_file(int dir, const char *path)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	fd_close(fd);
}

static void remove_ok(int dir, const char *name)
{
	_cleanup_err_ struct err e = ERR_INIT;
	unsigned fds = count_fds();

	if (path_remove_tree(dir, name, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(count_fds(), fds);
}

static void make_deep(int dir, const char *name, int levels)
{
	int at = fd_copy(dir);

	for (int i = 0; i < levels; i++) {
		int next;

		assert_int_equal(mkdirat(at, name, 0700), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		fd_close(at);
		at = next;
		if (i % 100 == 0)
			make_file(at, "file");
	}
	fd_close(at);
}

/* Deeper than PATH_MAX allows to name, with few descriptors. */
static void test_deep(void **state _unused_)
{
	struct rlimit old, few = {32, 32};
	int dir = scratch_open();

	make_deep(dir, "a-directory-name", 3000);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	remove_ok(dir, "a-directory-name");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	scratch_close(dir);
}

static void test_wide(void **state _unused_)
{
	int dir = scratch_open();
	char name[64];

	assert_int_equal(mkdirat(dir, "t", 0700), 0);
	for (int i = 0; i < 3000; i++) {
		(void) snprintf(name, sizeof name, "t/%d", i);
		if (i % 3) {
			make_file(dir, name);
			continue;
		}
		assert_int_equal(mkdirat(dir, name, 0700), 0);
		(void) snprintf(name, sizeof name, "t/%d/d", i);
		assert_int_equal(mkdirat(dir, name, 0700), 0);
		(void) snprintf(name, sizeof name, "t/%d/d/f", i);
		make_file(dir, name);
	}
	remove_ok(dir, "t");
	scratch_close(dir);
}

static void test_kinds(void **state _unused_)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int dir = scratch_open(), s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char ours[64];

	assert_int_equal(mkdirat(dir, "keep", 0700), 0);
	make_file(dir, "keep/precious");
	assert_int_equal(mkdirat(dir, "t", 0700), 0);
	assert_int_equal(mkdirat(dir, "t/sub", 0700), 0);
	assert_int_equal(mkdirat(dir, "t/empty", 0), 0);
	assert_int_equal(mkfifoat(dir, "t/sub/fifo", 0600), 0);
	(void) snprintf(sa.sun_path, sizeof sa.sun_path, "%s/t/sub/sock", scratch_path);
	assert_int_equal(bind(s, (struct sockaddr *) &sa, sizeof sa), 0);
	fd_close(s);
	assert_int_equal(symlinkat("../../keep", dir, "t/sub/link"), 0);
	assert_int_equal(symlinkat("/", dir, "t/root"), 0);
	assert_int_equal(symlinkat("loop", dir, "t/loop"), 0);
	assert_int_equal(linkat(dir, "keep/precious", dir, "t/hard", 0), 0);
	/* Names as of our own temporary ones: a file, an empty and a full directory. */
	(void) snprintf(ours, sizeof ours, "t/.rm-%d-0", (int) getpid());
	make_file(dir, ours);
	(void) snprintf(ours, sizeof ours, "t/.rm-%d-1", (int) getpid());
	assert_int_equal(mkdirat(dir, ours, 0700), 0);
	(void) snprintf(ours, sizeof ours, "t/.rm-%d-2", (int) getpid());
	assert_int_equal(mkdirat(dir, ours, 0700), 0);
	make_deep(dir, "t2", 5);
	assert_int_equal(renameat(dir, "t2", dir, "t/sub/t2"), 0);
	remove_ok(dir, "t");
	assert_int_equal(faccessat(dir, "keep/precious", F_OK, 0), 0);
	/* A link at the top goes, not what it leads to; a missing name is fine. */
	assert_int_equal(symlinkat("keep", dir, "toplink"), 0);
	remove_ok(dir, "toplink");
	remove_ok(dir, "keep/precious");
	remove_ok(dir, "keep");
	remove_ok(dir, "missing");
	remove_ok(dir, "missing/below");
	scratch_close(dir);
}

/* t/MODE/sub/f for each mode that an owner can give to t/MODE and t/MODE/sub, and t itself closed. */
static int make_closed_tree(int dir)
{
	char name[32];

	if (mkdirat(dir, "t", 0700) < 0)
		return -1;
	for (unsigned mode = 0; mode < 8; mode++) {
		(void) snprintf(name, sizeof name, "t/%u", mode);
		if (mkdirat(dir, name, 0700) < 0)
			return -1;
		(void) snprintf(name, sizeof name, "t/%u/sub", mode);
		if (mkdirat(dir, name, 0700) < 0)
			return -1;
		(void) snprintf(name, sizeof name, "t/%u/sub/f", mode);
		if (mkfifoat(dir, name, 0) < 0)
			return -1;
		(void) snprintf(name, sizeof name, "t/%u/sub", mode);
		if (fchmodat(dir, name, mode << 6, 0) < 0)
			return -1;
		(void) snprintf(name, sizeof name, "t/%u", mode);
		if (fchmodat(dir, name, mode << 6, 0) < 0)
			return -1;
	}
	return fchmodat(dir, "t", 0, 0);
}

/* As somebody else than root, in a child: directories that their owner has closed. */
static void test_unreadable(void **state _unused_)
{
	int dir = scratch_open(), st;
	pid_t pid;

	assert_int_equal(fchmod(dir, 0777), 0);
	pid = fork();
	if (pid == 0) {
		_cleanup_err_ struct err e = ERR_INIT;

		if (geteuid() == 0 && (setresgid(12345, 12345, 12345) < 0 || setresuid(12345, 12345, 12345) < 0))
			_exit(2);
		if (make_closed_tree(dir) < 0)
			_exit(3);
		if (path_remove_tree(dir, "t", &e) < 0) {
			(void) write_all(2, err_text(&e), strlen(err_text(&e)));
			_exit(4);
		}
		_exit(faccessat(dir, "t", F_OK, 0) == 0 ? 5 : 0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	scratch_close(dir);
}

/* A mount in the tree: named, refused, and what is in it stays. Needs a mount namespace. */
static void test_mount(void **state _unused_)
{
	int dir = scratch_open(), st;
	pid_t pid;

	assert_int_equal(mkdirat(dir, "t", 0700), 0);
	assert_int_equal(mkdirat(dir, "t/a", 0700), 0);
	assert_int_equal(mkdirat(dir, "t/a/mnt", 0700), 0);
	pid = fork();
	if (pid == 0) {
		_cleanup_err_ struct err e = ERR_INIT;
		char path[128];

		if (unshare(geteuid() ? CLONE_NEWNS | CLONE_NEWUSER : CLONE_NEWNS) < 0)
			_exit(errno == EPERM ? 0 : 2);
		(void) snprintf(path, sizeof path, "%s/t/a/mnt", scratch_path);
		if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("tmpfs", path, "tmpfs", 0, "size=64k") < 0 || mkdirat(dir, "t/a/mnt/precious", 0700) < 0)
			_exit(3);
		if (path_remove_tree(dir, "t", &e) != -EBUSY)
			_exit(4);
		if (strcmp(err_text(&e), "remove t: \"mnt\": Device or resource busy"))
			_exit(5);
		/* Wherever it was moved to. */
		_exit(umount2(path, MNT_DETACH) == 0 || errno == ENOENT || errno == EINVAL ? 0 : 6);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	remove_ok(dir, "t");
	scratch_close(dir);
}

static void make_small_tree(int dir)
{
	assert_int_equal(mkdirat(dir, "t", 0700), 0);
	make_file(dir, "t/f");
	assert_int_equal(mkdirat(dir, "t/empty", 0700), 0);
	assert_int_equal(mkdirat(dir, "t/a", 0700), 0);
	assert_int_equal(mkdirat(dir, "t/a/b", 0700), 0);
	assert_int_equal(mkdirat(dir, "t/a/b/c", 0700), 0);
	make_file(dir, "t/a/b/c/f");
}

/* Each call fails once: an error with its text, no descriptor lost, and the next try finishes the work. */
static void test_faults(void **state _unused_)
{
	static const int errors[] = {EIO, EMFILE};

	for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
		int dir = scratch_open();
		unsigned runs = 0;

		for (fault_start(errors[i]); fault_next(); runs++) {
			_cleanup_err_ struct err e = ERR_INIT;
			unsigned fds;
			int r;

			fault_pause();
			make_small_tree(dir);
			fds = count_fds();
			fault.fail_at = runs + 1;
			r = path_remove_tree(dir, "t", &e);
			fault_pause();
			assert_int_equal(count_fds(), fds);
			if (fault.hit) {
				assert_int_equal(r, -errors[i]);
				assert_true(str_starts(err_text(&e), "remove t"));
				assert_non_null(strstr(err_text(&e), strerror(errors[i])));
			} else {
				assert_int_equal(r, 0);
			}
			remove_ok(dir, "t");
		}
		assert_true(runs > 15);
		scratch_close(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deep),	   cmocka_unit_test(test_wide),	 cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_unreadable), cmocka_unit_test(test_mount), cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
