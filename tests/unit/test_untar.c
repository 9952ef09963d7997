#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "stage0/worker/untar.h"
#include "tests/unit/tar_builder.h"

/* Owners and nodes need root; without it there is little to see here. */
static bool is_root(void)
{
	return geteuid() == 0;
}

static int manifest_count;

static int on_manifest(void *arg, const char *data, size_t len, struct err *e)
{
	(void) e;
	manifest_count++;
	strbuf_add(arg, data, len);
	return 0;
}

static int unpack_in(int dir, const struct strbuf *a, const struct untar_limits *limits, struct strbuf *manifest,
		     struct err *e)
{
	struct tar_pieces src = {a->buf, a->len, 0, 4096};
	struct tar *t = tar_new(tar_pieces_next, &src);
	struct untar_result res;
	unsigned fds = count_fds();
	int r = untar(t, dir, limits, on_manifest, manifest, &res, e);

	tar_free(t);
	(void) tar_pieces_next(&(struct tar_pieces) {0}, NULL, NULL, NULL);
	assert_int_equal(count_fds(), fds);
	return r;
}

static const struct untar_limits standard = UNTAR_LIMITS_DEFAULT;

/* An archive that begins as every good one does. */
static void begin(struct strbuf *a)
{
	a->len = 0;
	tar_entry_add(a, FILE_("manifest", "{}"));
	tar_entry_add(a, DIR_("rootfs"));
}

static void check_refused(struct strbuf *a, const struct untar_limits *limits, const char *expected)
{
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct stat st;
	int dir, out;

	if (!is_root())
		return;
	dir = scratch_open();
	/* Something outside of the tree that must stay as it is. */
	assert_int_equal(mkdirat(dir, "top", 0700), 0);
	out = openat(dir, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	assert_int_equal(write(out, "precious", 8), 8);
	(void) fd_close(out);
	tar_end(a);
	_cleanup_fd_ int top = openat(dir, "top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (unpack_in(top, a, limits, &manifest, &e) == 0)
		fail_msg("expected \"%s\", but it was taken", expected);
	if (!strstr(err_text(&e), expected))
		fail_msg("expected \"%s\", got \"%s\"", expected, err_text(&e));
	assert_int_equal(fstatat(dir, "file", &st, 0), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_nlink, 1);
	assert_int_not_equal(faccessat(dir, "new", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	scratch_close(dir);
}

static void test_names(void **state _unused_)
{
	static const struct {
		const char *name, *error;
	} rows[] = {
		{"rootfs/../../new", "\"rootfs/../../new\": name with \"..\""},
		{"rootfs/a/..", "name with \"..\""},
		{"../new", "name with \"..\""},
		{"/tmp/new", "\"/tmp/new\": absolute name"},
		{"/rootfs/x", "absolute name"},
		{"other", "nothing beside manifest and rootfs"},
		{"rootfs2/x", "nothing beside manifest and rootfs"},
		{"Manifest", "nothing beside manifest and rootfs"},
		{"manifest/x", "nothing beside manifest and rootfs"},
		{".", "the top is no directory"},
		{"./", "the top is no directory"},
	};
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		begin(&a);
		tar_entry_add(&a, FILE_(rows[i].name, "x"));
		check_refused(&a, &standard, rows[i].error);
	}
}

static void test_long_names(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, name = STRBUF_INIT;

	strbuf_adds(&name, "rootfs/");
	for (int i = 0; i < 256; i++)
		strbuf_addc(&name, 'n');
	begin(&a);
	tar_pax_one(&a, "path", name.buf);
	tar_entry_add(&a, FILE_("x", "x"));
	check_refused(&a, &standard, "name too long");
	name.len = strlen("rootfs");
	for (int i = 0; i < 250; i++)
		strbuf_adds(&name, "/d");
	begin(&a);
	tar_pax_one(&a, "path", name.buf);
	tar_entry_add(&a, FILE_("x", "x"));
	check_refused(&a, &standard, "path too deep");
	name.len = strlen("rootfs");
	for (int i = 0; i < 30; i++)
		strbuf_addf(&name, "/%0200d", i);
	begin(&a);
	tar_pax_one(&a, "path", name.buf);
	tar_entry_add(&a, FILE_("x", "x"));
	check_refused(&a, &standard, "path too long");
}

static void test_links(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	begin(&a);
	tar_entry_add(&a, SYM_("rootfs/link", "../.."));
	tar_entry_add(&a, FILE_("rootfs/link/new", "x"));
	check_refused(&a, &standard, "a symbolic link is in the way");
	begin(&a);
	tar_entry_add(&a, SYM_("rootfs/link", "../.."));
	tar_entry_add(&a, DIR_("rootfs/link/new"));
	check_refused(&a, &standard, "a symbolic link is in the way");
	begin(&a);
	tar_entry_add(&a, DIR_("rootfs/d"));
	tar_entry_add(&a, SYM_("rootfs/link", "d"));
	tar_entry_add(&a, FILE_("rootfs/link/inside", "x"));
	check_refused(&a, &standard, "a symbolic link is in the way");
	begin(&a);
	tar_entry_add(&a, SYM_("rootfs/link", "../../file"));
	tar_entry_add(&a, FILE_("rootfs/link", "overwritten"));
	check_refused(&a, &standard, "duplicate entry");
	begin(&a);
	tar_entry_add(&a, SYM_("rootfs/link", "../.."));
	tar_entry_add(&a, DIR_("rootfs/link"));
	check_refused(&a, &standard, "duplicate entry");
	begin(&a);
	tar_entry_add(&a, SYM_("rootfs/link", "../../file"));
	tar_entry_add(&a, HARD_("rootfs/hard", "rootfs/link"));
	tar_entry_add(&a, FILE_("rootfs/hard", "overwritten"));
	check_refused(&a, &standard, "duplicate entry");
	a.len = 0;
	tar_entry_add(&a, FILE_("manifest", "{}"));
	tar_entry_add(&a, SYM_("rootfs", ".."));
	check_refused(&a, &standard, "rootfs is no directory");
}

static void test_hard_links(void **state _unused_)
{
	static const struct {
		const char *target, *error;
	} rows[] = {
		{"/etc/passwd", "not in the image's rootfs"},
		{"../file", "not in the image's rootfs"},
		{"rootfs/../../file", "not in the image's rootfs"},
		{"manifest", "not in the image's rootfs"},
		{"rootfs", "not in the image's rootfs"},
		{"", "not in the image's rootfs"},
		{"rootfs/none", "No such file"},
		{"rootfs/none/none", "No such file"},
		{"rootfs/d", "not permitted"},
		{"rootfs/h", "No such file"},
		{"rootfs/up/file", "a symbolic link is in the way"},
	};
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		begin(&a);
		tar_entry_add(&a, DIR_("rootfs/d"));
		tar_entry_add(&a, SYM_("rootfs/up", "../.."));
		tar_entry_add(&a, HARD_("rootfs/h", rows[i].target));
		check_refused(&a, &standard, rows[i].error);
	}
}

static void test_duplicates(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
	static const char *const again[] = {"rootfs/a", "rootfs//a", "./rootfs/a", "rootfs/./a"};

	for (size_t i = 0; i < ELEMENTSOF(again); i++) {
		begin(&a);
		tar_entry_add(&a, FILE_("rootfs/a", "1"));
		tar_entry_add(&a, FILE_(again[i], "2"));
		check_refused(&a, &standard, "duplicate entry");
	}
	begin(&a);
	tar_entry_add(&a, FILE_("manifest", "{}"));
	check_refused(&a, &standard, "\"manifest\": duplicate entry");
	begin(&a);
	tar_entry_add(&a, DIR_("rootfs"));
	check_refused(&a, &standard, "\"rootfs\": duplicate entry");
	begin(&a);
	tar_entry_add(&a, DIR_("rootfs/d"));
	tar_entry_add(&a, DIR_("rootfs/d"));
	check_refused(&a, &standard, "duplicate entry");
	/* a directory that was implied may be named once, not twice */
	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/d/f", "x"));
	tar_entry_add(&a, DIR_("rootfs/d"));
	tar_entry_add(&a, DIR_("rootfs/d"));
	check_refused(&a, &standard, "duplicate entry");
	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/d/f", "x"));
	tar_entry_add(&a, FILE_("rootfs/d", "x"));
	check_refused(&a, &standard, "duplicate entry");
	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/f", "x"));
	tar_entry_add(&a, FILE_("rootfs/f/below", "x"));
	check_refused(&a, &standard, "is no directory");
}

static void test_missing(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	tar_entry_add(&a, DIR_("rootfs"));
	check_refused(&a, &standard, "the image has no manifest");
	a.len = 0;
	tar_entry_add(&a, FILE_("manifest", "{}"));
	check_refused(&a, &standard, "the image has no rootfs");
	a.len = 0;
	tar_entry_add(&a, DIR_("manifest"));
	check_refused(&a, &standard, "is no regular file");
	a.len = 0;
	tar_entry_add(&a, SYM_("manifest", "/etc/passwd"));
	check_refused(&a, &standard, "is no regular file");
	a.len = 0;
	tar_entry_add(&a, HARD_("manifest", "rootfs/a"));
	check_refused(&a, &standard, "is no regular file");
}

static void test_limits(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, r = STRBUF_INIT;
	struct untar_limits limits = {.bytes = 100, .entries = 5, .depth = 3};
	_cleanup_free_ char *large = xcalloc(1, (1 << 20) + 2);

	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/a", "0123456789012345678901234567890123456789012345678901234567890"));
	tar_entry_add(&a, FILE_("rootfs/b", "0123456789012345678901234567890123456789"));
	check_refused(&a, &limits, "larger than the limit of 100 bytes");
	begin(&a);
	for (int i = 0; i < 4; i++) {
		char name[32];

		(void) snprintf(name, sizeof name, "rootfs/%d", i);
		tar_entry_add(&a, FILE_(name, NULL));
	}
	check_refused(&a, &limits, "more than the limit of 5 entries");
	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/1/2/3", NULL));
	check_refused(&a, &limits, "path too deep");
	/* a hole counts as what it looks like */
	begin(&a);
	tar_pax_record(&r, "GNU.sparse.size", "9223372036854775807", 19);
	tar_pax_record(&r, "GNU.sparse.map", "0,0", 3);
	tar_pax_add(&a, 'x', r.buf, r.len);
	tar_entry_add(&a, FILE_("rootfs/hole", NULL));
	check_refused(&a, &standard, "larger than the limit");
	a.len = 0;
	memset(large, ' ', (1 << 20) + 1);
	tar_entry_add(&a, FILE_("manifest", large));
	check_refused(&a, &standard, "\"manifest\": is larger than 1048576 bytes");
}

static void check_file(int dir, const char *path, mode_t type_and_mode, const char *content)
{
	char buf[64] = "";
	struct stat st;

	assert_int_equal(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, type_and_mode);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(st.st_uid, 0);
	if (content) {
		_cleanup_fd_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

		assert_int_equal(read(fd, buf, sizeof buf - 1), strlen(content));
		assert_string_equal(buf, content);
	}
}

static void test_good(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, r = STRBUF_INIT, manifest = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	struct stat st, st2;
	char target[16] = "";
	int dir;

	if (!is_root())
		return;
	dir = scratch_open();
	tar_entry_add(&a, DIR_("./"));
	tar_entry_add(&a, (struct tar_spec) {.type = '5', .name = "./rootfs/ro", .mode = 0555});
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "./rootfs/ro/secret", .mode = 04000, .data = "x"});
	tar_entry_add(&a, FILE_("./rootfs/implied/deep/file", "hello"));
	tar_entry_add(&a, (struct tar_spec) {.type = '5', .name = "./rootfs/implied/", .mode = 01777});
	tar_entry_add(&a, (struct tar_spec) {.type = '5', .name = "./rootfs/", .mode = 0711});
	tar_entry_add(&a, SYM_("rootfs/sym", "/etc"));
	tar_entry_add(&a, HARD_("rootfs/hard", "./rootfs/implied/deep/file"));
	tar_entry_add(&a, (struct tar_spec) {.type = '3', .name = "rootfs/null", .mode = 0666, .major = 1, .minor = 3});
	tar_entry_add(&a, (struct tar_spec) {.type = '6', .name = "rootfs/pipe", .mode = 0600});
	tar_pax_record(&r, "SCHILY.xattr.trusted.evil", "y", 1);
	tar_pax_record(&r, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	tar_pax_record(&r, "SCHILY.xattr.user.overlay.opaque", "y", 1);
	tar_pax_record(&r, "SCHILY.xattr.security.selinux", "y", 1);
	tar_pax_add(&a, 'x', r.buf, r.len);
	tar_entry_add(&a, FILE_("rootfs/attributes", "x"));
	tar_entry_add(&a, FILE_("manifest", "{}"));
	tar_end(&a);
	manifest_count = 0;
	if (unpack_in(dir, &a, &standard, &manifest, &e) < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(manifest_count, 1);
	assert_int_equal(manifest.len, 2);
	check_file(dir, "rootfs", S_IFDIR | 0711, NULL);
	check_file(dir, "rootfs/ro", S_IFDIR | 0555, NULL);
	check_file(dir, "rootfs/ro/secret", S_IFREG | 04000, "x");
	check_file(dir, "rootfs/implied", S_IFDIR | 01777, NULL);
	check_file(dir, "rootfs/implied/deep/file", S_IFREG | 0644, "hello");
	check_file(dir, "rootfs/hard", S_IFREG | 0644, "hello");
	check_file(dir, "rootfs/pipe", S_IFIFO | 0600, NULL);
	check_file(dir, "rootfs/null", S_IFCHR | 0666, NULL);
	assert_int_equal(fstatat(dir, "rootfs/null", &st, 0), 0);
	assert_int_equal(st.st_rdev, makedev(1, 3));
	assert_int_equal(fstatat(dir, "rootfs/hard", &st, 0), 0);
	assert_int_equal(fstatat(dir, "rootfs/implied/deep/file", &st2, 0), 0);
	assert_int_equal(st.st_ino, st2.st_ino);
	assert_int_equal(readlinkat(dir, "rootfs/sym", target, sizeof target - 1), 4);
	assert_string_equal(target, "/etc");
	assert_int_equal(fstatat(dir, "rootfs/implied/deep", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(faccessat(dir, "manifest", F_OK, 0), -1);
	{
		_cleanup_fd_ int fd = openat(dir, "rootfs/attributes", O_RDONLY | O_CLOEXEC);
		char names[256];

		assert_int_equal(flistxattr(fd, names, sizeof names), 0);
	}
	scratch_close(dir);
}

/* Without being root: nothing is made, and names are as they must be all the same. */
static void test_check_only(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, manifest = STRBUF_INIT;
	struct untar_limits limits = standard;
	_cleanup_err_ struct err e = ERR_INIT;
	int dir = scratch_open();

	limits.check_only = true;
	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/a", "content that is passed over"));
	tar_entry_add(&a, DIR_("rootfs/d"));
	tar_entry_add(&a, FILE_("rootfs/d/b", "more"));
	tar_end(&a);
	assert_int_equal(unpack_in(dir, &a, &limits, &manifest, &e), 0);
	assert_string_equal(manifest.buf, "{}");
	assert_int_equal(faccessat(dir, "rootfs", F_OK, 0), -1);
	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/../a", "x"));
	tar_end(&a);
	assert_int_equal(unpack_in(dir, &a, &limits, &manifest, &e), -EINVAL);
	a.len = 0;
	tar_entry_add(&a, FILE_("manifest", "{}"));
	tar_end(&a);
	assert_int_equal(unpack_in(dir, &a, &limits, &manifest, &e), -EINVAL);
	scratch_close(dir);
}

static void test_xattr_refused(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;

	begin(&a);
	tar_pax_one(&a, "SCHILY.xattr.user.x", "v");
	tar_entry_add(&a, SYM_("rootfs/s", "x"));
	check_refused(&a, &standard, "neither file nor directory");
	begin(&a);
	tar_entry_add(&a, FILE_("rootfs/a", "x"));
	tar_pax_one(&a, "SCHILY.xattr.user.x", "v");
	tar_entry_add(&a, HARD_("rootfs/h", "rootfs/a"));
	check_refused(&a, &standard, "hard link with attributes of its own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_long_names), cmocka_unit_test(test_links),
		cmocka_unit_test(test_hard_links), cmocka_unit_test(test_duplicates), cmocka_unit_test(test_missing),
		cmocka_unit_test(test_limits),	   cmocka_unit_test(test_good),	      cmocka_unit_test(test_check_only), cmocka_unit_test(test_xattr_refused),
	};

	(void) umask(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
