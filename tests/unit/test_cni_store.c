#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "base/file.h"
#include "cni-plugins/host-local/store.h"
#include "tests/unit/fault.h"

int __real_openat(int dirfd, const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, mode_t mode);
ssize_t __real_pwrite(int fd, const void *buf, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __real_unlinkat(int dirfd, const char *path, int flags);
int __wrap_unlinkat(int dirfd, const char *path, int flags);

static bool no_tmpfile;

int __wrap_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return fault_now() ? -1 : __real_openat(dirfd, path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return fault_now() ? -1 : __real_pwrite(fd, buf, n, at);
}

int __wrap_ftruncate(int fd, off_t len)
{
	return fault_now() ? -1 : __real_ftruncate(fd, len);
}

int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	return fault_now() ? -1 : __real_linkat(a, from, b, to, flags);
}

int __wrap_unlinkat(int dirfd, const char *path, int flags)
{
	return fault_now() ? -1 : __real_unlinkat(dirfd, path, flags);
}

static struct ip ip(const char *s)
{
	struct ip r;

	assert_int_equal(ip_parse(s, &r), 0);
	return r;
}

static void open_store(struct store *st)
{
	_cleanup_err_ struct err e = ERR_INIT;

	*st = (struct store) STORE_INIT;
	if (store_open(scratch_path, "net", true, st, &e) < 0)
		fail_msg("%s", err_text(&e));
}

static int reserve(const char *addr, const char *id, const char *ifname)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct ip a = ip(addr);
	struct store st;
	int r;

	open_store(&st);
	r = store_reserve(&st, &a, id, ifname, 0, &e);
	if (r < 0)
		fail_msg("%s", err_text(&e));
	store_close(&st);
	return r;
}

/* Everything that (id, ifname) holds, in one string. */
static char *held(const char *id, const char *ifname)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ struct ip *list = NULL;
	struct strbuf sb = STRBUF_INIT;
	char text[IP_TEXT_MAX];
	struct store st;
	size_t n;

	open_store(&st);
	if (store_find(&st, id, ifname, &list, &n, &e) < 0)
		fail_msg("%s", err_text(&e));
	store_close(&st);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&sb, "%s%s", i ? " " : "", ip_text(&list[i], text));
	return strbuf_take(&sb);
}

static void assert_held(const char *id, const char *ifname, const char *want)
{
	_cleanup_free_ char *have = held(id, ifname);

	assert_string_equal(have, want);
}

static void release(const char *id, const char *ifname)
{
	_cleanup_err_ struct err e = ERR_INIT;
	struct store st;

	open_store(&st);
	if (store_release(&st, id, ifname, &e) < 0)
		fail_msg("%s", err_text(&e));
	store_close(&st);
}

static void put_file(int dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join("net", name);
	_cleanup_fd_ int fd = __real_openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void assert_file(int dir, const char *name, const char *want)
{
	_cleanup_free_ char *path = path_join("net", name), *have = NULL;

	if (file_read_at(dir, path, 4096, &have, NULL, NULL) < 0)
		assert_null(want);
	else
		assert_string_equal(have, want ? want : "(none)");
}

/* The reference plugin's layout, byte for byte. */
static void test_layout(void **state _unused_)
{
	int dir = scratch_open();

	assert_int_equal(reserve("10.0.0.2", "c1", "eth0"), 1);
	assert_int_equal(reserve("fd00:0::2", "c1", "eth0"), 1);
	assert_file(dir, "10.0.0.2", "c1\r\neth0");
	assert_file(dir, "fd00::2", "c1\r\neth0");
	assert_file(dir, "last_reserved_ip.0", "fd00::2");
	assert_held("c1", "eth0", "10.0.0.2 fd00::2");
	assert_held("c1", "eth1", "");
	assert_int_equal(reserve("10.0.0.2", "c2", "eth0"), 0);
	release("c1", "eth1");
	assert_file(dir, "10.0.0.2", "c1\r\neth0");
	release("c1", "eth0");
	release("c1", "eth0");
	assert_file(dir, "10.0.0.2", NULL);
	assert_file(dir, "last_reserved_ip.0", "fd00::2");
	scratch_close(dir);
}

/* What the reference plugin, of any age, has written is found although no index tells of it. */
static void test_foreign(void **state _unused_)
{
	int dir = scratch_open();

	assert_int_equal(mkdirat(dir, "net", 0755), 0);
	put_file(dir, "10.0.0.2", "c1\r\neth0");
	put_file(dir, "10.0.0.3", "c3");
	put_file(dir, "10.0.0.4", "c1\neth1\n");
	put_file(dir, "last_reserved_ip.0", "10.0.0.4");
	assert_held("c1", "eth0", "10.0.0.2");
	assert_held("c3", "eth7", "10.0.0.3");
	/* The index exists now; somebody else goes on. */
	put_file(dir, "10.0.0.5", "c5\r\neth0");
	assert_held("c5", "eth0", "10.0.0.5");
	assert_int_equal(__real_unlinkat(dir, "net/10.0.0.2", 0), 0);
	assert_held("c1", "eth0", "");
	release("c1", "eth1");
	release("c3", "eth0");
	release("c5", "eth0");
	for (int i = 2; i < 6; i++) {
		_cleanup_free_ char *name = xasprintf("10.0.0.%d", i);

		assert_file(dir, name, NULL);
	}
	scratch_close(dir);
}

/* Left by a crash or a full disk (plugins#498): not a lease. */
static void test_empty_lease(void **state _unused_)
{
	int dir = scratch_open();

	assert_int_equal(mkdirat(dir, "net", 0755), 0);
	put_file(dir, "10.0.0.2", "");
	put_file(dir, "10.0.0.3", " \r\n");
	assert_held("", "", "");
	assert_int_equal(reserve("10.0.0.2", "c1", "eth0"), 1);
	assert_file(dir, "10.0.0.2", "c1\r\neth0");
	scratch_close(dir);
}

static void test_no_tmpfile(void **state _unused_)
{
	int dir = scratch_open();

	no_tmpfile = true;
	assert_int_equal(reserve("10.0.0.2", "c1", "eth0"), 1);
	assert_int_equal(reserve("10.0.0.2", "c2", "eth0"), 0);
	no_tmpfile = false;
	assert_file(dir, "10.0.0.2", "c1\r\neth0");
	assert_held("c1", "eth0", "10.0.0.2");
	scratch_close(dir);
}

static void test_last(void **state _unused_)
{
	int dir = scratch_open();
	char text[IP_TEXT_MAX];
	struct store st;
	struct ip last;

	open_store(&st);
	last = store_last(&st, 0);
	assert_false(ip_is_set(&last));
	store_close(&st);
	assert_int_equal(reserve("10.0.0.200", "c1", "eth0"), 1);
	assert_int_equal(reserve("10.0.0.3", "c2", "eth0"), 1);
	assert_file(dir, "last_reserved_ip.0", "10.0.0.3");
	open_store(&st);
	last = store_last(&st, 0);
	assert_string_equal(ip_text(&last, text), "10.0.0.3");
	store_close(&st);
	scratch_close(dir);
}

static void test_gc(void **state _unused_)
{
	struct cni_attachment list[] = {{"c1", "eth0"}, {"old", "eth9"}};
	struct cni_attachments valid = {.list = list, .n = 2, .known = true};
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();
	struct store st;

	assert_int_equal(reserve("10.0.0.2", "c1", "eth0"), 1);
	assert_int_equal(reserve("10.0.0.3", "c1", "eth1"), 1);
	assert_int_equal(reserve("10.0.0.4", "c2", "eth0"), 1);
	put_file(dir, "10.0.0.5", "old");
	put_file(dir, "10.0.0.6", "strange thing");
	open_store(&st);
	assert_int_equal(store_gc(&st, &valid, &e), 0);
	store_close(&st);
	assert_file(dir, "10.0.0.2", "c1\r\neth0");
	assert_file(dir, "10.0.0.3", NULL);
	assert_file(dir, "10.0.0.4", NULL);
	assert_file(dir, "10.0.0.5", "old");
	assert_file(dir, "10.0.0.6", NULL);
	assert_held("c1", "eth0", "10.0.0.2");
	assert_held("c2", "eth0", "");
	scratch_close(dir);
}

/* Give the lock file another boot id, and the file a time before or after this boot. */
static void set_boot(int dir, const char *id)
{
	_cleanup_fd_ int fd = __real_openat(dir, "net/lock", O_WRONLY | O_CLOEXEC);

	assert_int_equal(__real_pwrite(fd, id, BOOT_ID_LEN, 0), BOOT_ID_LEN);
}

static void make_old(int dir, const char *name)
{
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	_cleanup_free_ char *path = path_join("net", name);

	assert_int_equal(utimensat(dir, path, times, 0), 0);
}

static void test_reboot(void **state _unused_)
{
	static const char other[] = "00000000-0000-0000-0000-000000000000";
	int dir = scratch_open();

	assert_int_equal(reserve("10.0.0.2", "c1", "eth0"), 1);
	assert_int_equal(reserve("10.0.0.3", "c2", "eth0"), 1);
	make_old(dir, "10.0.0.2");
	/* The same boot: whatever the clock says, it stays. */
	assert_held("c1", "eth0", "10.0.0.2");
	set_boot(dir, other);
	/* 10.0.0.3 is from after the boot: somebody else's plugin made it. */
	assert_held("c1", "eth0", "");
	assert_held("c2", "eth0", "10.0.0.3");
	assert_file(dir, "10.0.0.2", NULL);
	assert_int_equal(reserve("10.0.0.2", "c3", "eth0"), 1);
	scratch_close(dir);
}

/* No word of an earlier boot: nothing is dropped. */
static void test_boot_unknown(void **state _unused_)
{
	int dir = scratch_open();

	assert_int_equal(mkdirat(dir, "net", 0755), 0);
	put_file(dir, "10.0.0.2", "c1\r\neth0");
	make_old(dir, "10.0.0.2");
	put_file(dir, "lock", "");
	assert_held("c1", "eth0", "10.0.0.2");
	scratch_close(dir);
}

/* An index that is cut, or that somebody scribbled in, is not believed. */
static void test_broken_index(void **state _unused_)
{
	int dir = scratch_open();
	struct stat s;

	assert_int_equal(reserve("10.0.0.2", "c1", "eth0"), 1);
	assert_int_equal(fstatat(dir, "net/lock", &s, 0), 0);
	for (off_t len = 0; len < s.st_size; len++) {
		_cleanup_fd_ int fd = __real_openat(dir, "net/lock", O_WRONLY | O_CLOEXEC);

		assert_int_equal(__real_ftruncate(fd, len), 0);
		assert_held("c1", "eth0", "10.0.0.2");
	}
	scratch_close(dir);
}

/* Two hundred leases come and go in disorder; the index says the same as the files. */
static void test_many(void **state _unused_)
{
	int dir = scratch_open();

	for (int i = 0; i < 200; i++) {
		_cleanup_free_ char *a = xasprintf("10.0.%d.%d", i / 100, i % 100 + 1), *id = xasprintf("c%d", i);

		assert_int_equal(reserve(a, id, "eth0"), 1);
		if (i % 3 == 2) {
			_cleanup_free_ char *gone = xasprintf("c%d", i / 2);

			release(gone, "eth0");
		}
	}
	for (int i = 0; i < 200; i++) {
		_cleanup_free_ char *a = xasprintf("10.0.%d.%d", i / 100, i % 100 + 1), *id = xasprintf("c%d", i);
		_cleanup_free_ char *have = held(id, "eth0");
		_cleanup_free_ char *path = path_join("net", a);

		assert_string_equal(have, faccessat(dir, path, F_OK, 0) == 0 ? a : "");
	}
	scratch_close(dir);
}

/* The next run of a loop: its nth wrapped call fails. */
static void fault_nth(unsigned n)
{
	fault_start(EIO);
	fault.hit = false;
	fault.calls = 0;
	fault.fail_at = n;
}

/* One ADD and one DEL, each of their system calls failing once: an error, and the store is as before. */
static void test_faults(void **state _unused_)
{
	struct ip a = ip("10.0.0.9");
	int dir = scratch_open();
	bool more = true;
	unsigned fds;

	assert_int_equal(reserve("10.0.0.2", "c1", "eth0"), 1);
	fds = count_fds();
	for (unsigned n = 1; more; n++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *have = NULL;
		struct store st = STORE_INIT;
		int r;

		fault_nth(n);
		r = store_open(scratch_path, "net", true, &st, &e);
		if (r >= 0)
			r = store_reserve(&st, &a, "c9", "eth0", 0, &e);
		store_close(&st);
		more = fault.hit;
		fault_pause();
		if (r < 0)
			assert_true(*err_text(&e));
		have = held("c9", "eth0");
		assert_string_equal(have, r > 0 ? "10.0.0.9" : "");
		assert_held("c1", "eth0", "10.0.0.2");
		release("c9", "eth0");
		assert_int_equal(count_fds(), fds);
	}
	scratch_close(dir);
}

static void test_faults_release(void **state _unused_)
{
	int dir = scratch_open();
	bool more = true;

	for (unsigned n = 1; more; n++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_free_ char *have = NULL;
		struct store st = STORE_INIT;
		int r;

		assert_int_equal(reserve("10.0.0.9", "c9", "eth0"), 1);
		fault_nth(n);
		r = store_open(scratch_path, "net", true, &st, &e);
		if (r >= 0)
			r = store_release(&st, "c9", "eth0", &e);
		store_close(&st);
		more = fault.hit;
		fault_pause();
		have = held("c9", "eth0");
		assert_string_equal(have, r < 0 ? "10.0.0.9" : "");
		release("c9", "eth0");
	}
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),	     cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_empty_lease),  cmocka_unit_test(test_no_tmpfile),
		cmocka_unit_test(test_last),	     cmocka_unit_test(test_gc),
		cmocka_unit_test(test_reboot),	     cmocka_unit_test(test_boot_unknown),
		cmocka_unit_test(test_broken_index), cmocka_unit_test(test_many),
		cmocka_unit_test(test_faults),	     cmocka_unit_test(test_faults_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
