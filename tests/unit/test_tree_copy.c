#include "tests/unit/store_dir.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "contract/id_map.h"

/* Everything in the directory: kind, mode, owner, size, time, links, target; sorted. */
static void describe(int dir, const char *path, char ***ret)
{
	_cleanup_fd_ int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_dir_ DIR *d = fdopendir(fd_copy(fd));
	struct dirent *de;

	assert_non_null(d);
	while ((de = readdir(d))) {
		char target[64] = "";
		struct stat st;

		if (!strcmp(de->d_name, ".."))
			continue;
		assert_int_equal(fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
		if (S_ISLNK(st.st_mode))
			assert_true(readlinkat(fd, de->d_name, target, sizeof target - 1) > 0);
		strv_push(ret, xasprintf("%s/%s %o %u:%u %lld %lld.%09ld %lu %lx %s", path, de->d_name, st.st_mode, st.st_uid,
					 st.st_gid, S_ISDIR(st.st_mode) ? 0ll : (long long) st.st_size,
					 (long long) st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
					 S_ISDIR(st.st_mode) ? 0ul : (unsigned long) st.st_nlink,
					 (unsigned long) st.st_rdev, target));
		if (S_ISDIR(st.st_mode) && strcmp(de->d_name, ".")) {
			_cleanup_free_ char *below = path_join(path, de->d_name);

			describe(dir, below, ret);
		}
	}
}

static void make_tree(int root)
{
	struct timespec old[2] = {{1000000000, 5}, {1000000001, 123456789}};
	int fd;

	assert_int_equal(mkdirat(root, "d", 0755), 0);
	assert_int_equal(mkdirat(root, "d/ro", 0755), 0);
	write_file(root, "d/file", "text");
	assert_int_equal(fchownat(root, "d/file", 12, 34, 0), 0);
	assert_int_equal(fchmodat(root, "d/file", 06751, 0), 0);
	assert_int_equal(utimensat(root, "d/file", old, 0), 0);
	assert_int_equal(linkat(root, "d/file", root, "hard", 0), 0);
	assert_int_equal(linkat(root, "d/file", root, "d/ro/hard", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", root, "sym"), 0);
	assert_int_equal(fchownat(root, "sym", 7, 8, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(utimensat(root, "sym", old, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(mknodat(root, "pipe", S_IFIFO | 0640, 0), 0);
	assert_int_equal(mknodat(root, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
	fd = openat(root, "sparse", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "data", 4, 64 << 20), 4);
	assert_int_equal(ftruncate(fd, 128 << 20), 0);
	(void) fd_close(fd);
	assert_int_equal(fchmodat(root, "d/ro", 0555, 0), 0);
	assert_int_equal(utimensat(root, "d/ro", old, 0), 0);
	assert_int_equal(utimensat(root, "d", old, 0), 0);
	assert_int_equal(fchmodat(root, ".", 0711, 0), 0);
	assert_int_equal(utimensat(root, ".", old, 0), 0);
}

static void test_copy(void **state _unused_)
{
	_cleanup_strv_ char **want = NULL, **got = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	char id[IMAGE_ID_LEN + 1];
	struct store_dir s;
	struct stat st, st2;
	unsigned fds;

	if (geteuid() != 0)
		return;
	(void) umask(0);
	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", NULL, "x");
	make_id(id, "01");
	_cleanup_fd_ int tree = store_tree_open(s.store, id, &e), to = -EBADF;
	make_tree(tree);
	assert_int_equal(mkdirat(s.top, "copy", 0700), 0);
	to = openat(s.top, "copy", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fds = count_fds();
	if (store_tree_copy(s.store, id, to, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(count_fds(), fds);
	describe(tree, ".", &want);
	describe(to, ".", &got);
	strv_sort(want);
	strv_sort(got);
	assert_int_equal(strv_len(want), strv_len(got));
	for (size_t i = 0; want[i]; i++)
		assert_string_equal(got[i], want[i]);
	/* three names of one file, and a hole that is one */
	assert_int_equal(fstatat(to, "hard", &st, 0), 0);
	assert_int_equal(fstatat(to, "d/ro/hard", &st2, 0), 0);
	assert_int_equal(st.st_ino, st2.st_ino);
	assert_int_equal(fstatat(to, "sparse", &st, 0), 0);
	assert_true(st.st_blocks < 4096);
	/* into what is not empty: an error, not a mixture */
	assert_true(store_tree_copy(s.store, id, to, &e) < 0);
	store_dir_close(&s);
}

/* Owners, an access list and a capability, as they are on the host for a pod with ids of its own. */
static void test_users(void **state _unused_)
{
	static const struct id_map users = {0x90000, 65536};
	static const uint8_t capability[20] = {1, 0, 0, 2, 0, 0x20};
	_cleanup_err_ struct err e = ERR_INIT;
	char id[IMAGE_ID_LEN + 1], *ids[] = {id, NULL};
	struct store_dir s;
	struct stat st;
	uint8_t value[32];

	if (geteuid() != 0)
		return;
	store_dir_open(&s);
	put_image(&s, "01", "a.com/a", "1", NULL, "x");
	make_id(id, "01");
	_cleanup_fd_ int tree = store_tree_open(s.store, id, &e), to = -EBADF, file = -EBADF;
	make_tree(tree);
	file = openat(tree, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fsetxattr(file, "security.capability", capability, sizeof capability, 0), 0);
	assert_int_equal(mkdirat(s.top, "copy", 0700), 0);
	to = openat(s.top, "copy", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (store_trees_copy(s.store, ids, to, &users, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(fstatat(to, ".", &st, 0), 0);
	assert_int_equal(st.st_uid, 0x90000);
	assert_int_equal(fstatat(to, "hard", &st, 0), 0);
	assert_int_equal(st.st_uid, 0x90000 + 12);
	assert_int_equal(st.st_gid, 0x90000 + 34);
	assert_int_equal(st.st_mode & 07777, 06751);
	assert_int_equal(fstatat(to, "sym", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_uid, 0x90000 + 7);
	assert_int_equal(fstatat(to, "null", &st, 0), 0);
	assert_int_equal(st.st_gid, 0x90000);
	(void) fd_close(file);
	file = openat(to, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(file, "security.capability", value, sizeof value), 24);
	assert_int_equal(value[3], 3);
	assert_int_equal(value[22], 9);
	/* somebody who is not of the pod */
	assert_int_equal(fchownat(tree, "d/ro", 65536, 0, 0), 0);
	assert_int_equal(mkdirat(s.top, "again", 0700), 0);
	(void) fd_close(to);
	to = openat(s.top, "again", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(store_trees_copy(s.store, ids, to, &users, &e), -ERANGE);
	assert_non_null(strstr(err_text(&e), "/d/ro/ belongs to 65536:0, and a pod with ids of its own has 65536 of them"));
	store_dir_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_copy), cmocka_unit_test(test_users)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
