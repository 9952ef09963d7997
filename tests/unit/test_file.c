#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/file.h"
#include "tests/unit/fault.h"

int __real_openat(int dirfd, const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from, const char *a, int to, const char *b);
int __wrap_renameat(int from, const char *a, int to, const char *b);

int __wrap_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return fault_now() ? -1 : __real_openat(dirfd, path, flags, mode);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fault_now() ? -1 : __real_fchmod(fd, mode);
}

static bool short_writes;

/* A disk that fills up takes a part first. */
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (fault_now())
		return -1;
	return __real_write(fd, data, short_writes && len > 1 ? len / 2 : len);
}

int __wrap_fsync(int fd)
{
	return fault_now() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from, const char *a, int to, const char *b)
{
	return fault_now() ? -1 : __real_renameat(from, a, to, b);
}

static unsigned count_entries(int dir)
{
	int fd = __real_openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void assert_content(int dir, const char *path, const char *content)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	size_t len;

	if (file_read_at(dir, path, 100, &text, &len, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(len, strlen(content));
	assert_string_equal(text, content);
}

static void test_read(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *text = NULL, *line = NULL;
	int dir = scratch_open();
	unsigned fds = count_fds();
	size_t len;

	assert_int_equal(file_read_at(dir, "x", 10, &text, &len, &e), -ENOENT);
	assert_err(&e, "open x: No such file or directory");
	assert_int_equal(file_write_at(dir, "x", "12345\n", 6, 0600, FILE_FAST, &e), 0);
	assert_int_equal(file_read_at(dir, "x", 5, &text, &len, &e), -EFBIG);
	assert_err(&e, "x: larger than 5 bytes");
	assert_null(text);
	assert_int_equal(file_read_at(dir, "x", 6, &text, &len, &e), 0);
	assert_int_equal(len, 6);
	assert_string_equal(text, "12345\n");
	assert_int_equal(file_read_line_at(dir, "x", &line, &e), 0);
	assert_string_equal(line, "12345");
	/* What is no regular file does not block. */
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(mkdirat(dir, "dir", 0700), 0);
	free(take_ptr(text));
	assert_int_equal(file_read_at(dir, "fifo", 10, &text, &len, &e), -EINVAL);
	assert_err(&e, "fifo: not a regular file");
	assert_int_equal(file_read_at(dir, "dir", 10, &text, &len, &e), -EINVAL);
	assert_int_equal(file_read_at(AT_FDCWD, "/dev/zero", 10, &text, &len, &e), -EINVAL);
	assert_int_equal(count_fds(), fds);
	scratch_close(dir);
}

static void test_write(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	mode_t old = umask(077);
	int dir = scratch_open();
	unsigned fds = count_fds();
	struct stat st;

	assert_int_equal(mkdirat(dir, "sub", 0700), 0);
	assert_int_equal(file_write_at(dir, "sub/x", "", 0, 0644, FILE_DURABLE, &e), 0);
	assert_content(dir, "sub/x", "");
	assert_int_equal(fstatat(dir, "sub/x", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(file_write_at(dir, "sub/x", "new", 3, 0600, FILE_FAST, &e), 0);
	assert_content(dir, "sub/x", "new");
	/* A link is replaced, not followed. */
	assert_int_equal(symlinkat("sub/x", dir, "link"), 0);
	assert_int_equal(file_write_at(dir, "link", "other", 5, 0600, FILE_DURABLE, &e), 0);
	assert_content(dir, "sub/x", "new");
	assert_content(dir, "link", "other");
	/* A leftover of a killed process of our number is in nobody's way. */
	_cleanup_free_ char *left = xasprintf(".y.%d.tmp", (int) getpid());
	assert_int_equal(symlinkat("sub/x", dir, left), 0);
	assert_int_equal(file_write_at(dir, "y", "y", 1, 0600, FILE_FAST, &e), 0);
	assert_content(dir, "sub/x", "new");
	assert_content(dir, "y", "y");
	assert_int_equal(count_entries(dir), 3);
	assert_int_equal(file_write_at(dir, "gone/x", "", 0, 0600, FILE_FAST, &e), -ENOENT);
	assert_err(&e, "write gone/x: No such file or directory");
	assert_int_equal(file_write_at(dir, "sub", "", 0, 0600, FILE_FAST, &e), -EISDIR);
	assert_err(&e, "write sub: Is a directory");
	assert_int_equal(count_entries(dir), 3);
	assert_int_equal(file_sync_dir(dir, &e), 0);
	assert_int_equal(count_fds(), fds);
	(void) umask(old);
	scratch_close(dir);
}

/* Each call fails once: the file is the old one or the new one, whole, and nothing is left behind. */
static void inject(enum file_write how, bool is_new)
{
	int dir = scratch_open();
	unsigned runs = 0;

	for (fault_start(ENOSPC); fault_next(); runs++) {
		_cleanup_err_ struct err e = ERR_INIT;
		unsigned fds;
		int r;

		fault_pause();
		(void) unlinkat(dir, "f", 0);
		if (!is_new)
			assert_int_equal(file_write_at(dir, "f", "old", 3, 0600, FILE_FAST, &e), 0);
		fds = count_fds();
		fault.fail_at = runs + 1;
		r = file_write_at(dir, "f", "brand new", 9, 0640, how, &e);
		fault_pause();
		assert_int_equal(count_fds(), fds);
		if (!fault.hit) {
			assert_int_equal(r, 0);
			assert_content(dir, "f", "brand new");
			assert_int_equal(count_entries(dir), 1);
			continue;
		}
		assert_int_equal(r, -ENOSPC);
		assert_string_equal(err_text(&e), "write f: No space left on device");
		if (faccessat(dir, "f", F_OK, 0) < 0) {
			assert_true(is_new);
			assert_int_equal(count_entries(dir), 0);
			continue;
		}
		assert_int_equal(count_entries(dir), 1);
		_cleanup_free_ char *text = NULL;
		assert_int_equal(file_read_at(dir, "f", 100, &text, NULL, &e), 0);
		assert_true(str_eq(text, "brand new") || (!is_new && str_eq(text, "old")));
	}
	/* open, fchmod, write(s), rename; durable: fsync, open and fsync of the directory. */
	assert_true(runs >= (how == FILE_DURABLE ? 8 : 5));
	scratch_close(dir);
}

static void test_faults(void **state _unused_)
{
	for (int i = 0; i < 8; i++) {
		short_writes = i & 4;
		inject(i & 1 ? FILE_DURABLE : FILE_FAST, i & 2);
	}
	short_writes = false;
}

static void test_poke(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();
	unsigned fds = count_fds();

	assert_int_equal(file_poke_at(dir, "f", "1"), -ENOENT);
	assert_int_equal(file_write_at(dir, "f", "abc", 3, 0600, FILE_FAST, &e), 0);
	assert_int_equal(file_poke_at(dir, "f", "1"), 0);
	assert_content(dir, "f", "1bc");
	short_writes = true;
	assert_int_equal(file_poke_at(dir, "f", "12"), -EIO);
	short_writes = false;
	fault_start(EBUSY);
	(void) fault_next();
	fault.fail_at = 2;
	assert_int_equal(file_poke_at(dir, "f", "1"), -EBUSY);
	fault_pause();
	assert_int_equal(count_fds(), fds);
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_poke),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
