#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include "stage0/worker/layer.h"
#include "stage0/worker/layer_internal.h"
#include "tests/unit/tar_builder.h"

static const struct untar_limits standard = UNTAR_LIMITS_DEFAULT;

/* Owners and nodes need root. */
static bool is_root(void)
{
	return geteuid() == 0;
}

/* --- whole layers --- */

static void list_dir(struct strbuf *sb, int dirfd, const char *prefix);

static void list_one(struct strbuf *sb, int dirfd, const char *name, const char *path)
{
	char target[256];
	struct stat st;
	ssize_t n;

	assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	strbuf_adds(sb, sb->len ? " " : "");
	if (S_ISDIR(st.st_mode)) {
		_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		strbuf_addf(sb, "%s/", path);
		list_dir(sb, fd, path);
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dirfd, name, target, sizeof target);
		strbuf_addf(sb, "%s->%.*s", path, (int) n, target);
	} else if (S_ISREG(st.st_mode)) {
		_cleanup_fd_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

		n = read(fd, target, sizeof target);
		strbuf_addf(sb, "%s=%.*s", path, (int) n, target);
	} else {
		strbuf_addf(sb, "%s%s", path, S_ISCHR(st.st_mode) && !st.st_rdev ? "!" : "?");
	}
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		strbuf_addf(sb, "*%d", (int) st.st_nlink);
}

static void list_dir(struct strbuf *sb, int dirfd, const char *prefix)
{
	_cleanup_dir_ DIR *d = fdopendir(fd_copy(dirfd));
	_cleanup_strv_ char **names = NULL;
	struct dirent *de;

	assert_non_null(d);
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			strv_add(&names, de->d_name);
	strv_sort(names);
	for (char **n = names; n && *n; n++) {
		_cleanup_free_ char *path = *prefix ? path_join(prefix, *n) : xstrdup(*n);

		list_one(sb, dirfd, *n, path);
	}
}

/* "f:NAME=TEXT", "d:NAME", "l:NAME=TARGET", "h:NAME=TARGET", "c:NAME" (device 0:0), "p:NAME" */
static void add_word(struct strbuf *a, const char *word)
{
	_cleanup_free_ char *name = xstrdup(word + 2);
	char *value = strchr(name, '=');

	if (value)
		*value++ = '\0';
	switch (*word) {
	case 'f':
		tar_entry_add(a, FILE_(name, value ? value : NULL));
		break;
	case 'd':
		tar_entry_add(a, DIR_(name));
		break;
	case 'l':
		tar_entry_add(a, SYM_(name, value));
		break;
	case 'h':
		tar_entry_add(a, HARD_(name, value));
		break;
	case 'c':
		tar_entry_add(a, (struct tar_spec) {.type = '3', .name = name});
		break;
	case 'p':
		tar_entry_add(a, (struct tar_spec) {.type = '6', .name = name});
		break;
	default:
		fail();
	}
}

static void add_words(struct strbuf *a, const char *words)
{
	_cleanup_strv_ char **v = strv_split(words, ' ');

	for (char **w = v; *w; w++)
		if (**w)
			add_word(a, *w);
}

static int unpack(int top, const struct strbuf *a, const struct untar_limits *limits, struct layer_lists *lists,
		  struct err *e)
{
	struct tar_pieces src = {a->buf, a->len, 0, 4096};
	struct tar *t = tar_new(tar_pieces_next, &src);
	struct untar_result res;
	unsigned fds = count_fds();
	int r = layer_untar(t, top, limits, lists, &res, e);

	tar_free(t);
	(void) tar_pieces_next(&(struct tar_pieces) {0}, NULL, NULL, NULL);
	assert_int_equal(count_fds(), fds);
	return r;
}

/* What becomes of the words: the tree, "| opaque directories", "~ implied ones"; or the error. */
static char *result(const struct strbuf *a, const struct untar_limits *limits)
{
	_cleanup_layer_lists_ struct layer_lists lists = {0};
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_fd_ int out = -EBADF;
	int dir = scratch_open();
	struct stat st;

	strbuf_adds(&sb, "");
	assert_int_equal(mkdirat(dir, "top", 0700), 0);
	out = openat(dir, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	assert_int_equal(write(out, "precious", 8), 8);
	_cleanup_fd_ int top = openat(dir, "top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (unpack(top, a, limits, &lists, &e) < 0) {
		strbuf_adds(&sb, err_text(&e));
	} else {
		_cleanup_fd_ int root = openat(top, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		list_dir(&sb, root, "");
		for (char **p = lists.opaque; p && *p; p++)
			strbuf_addf(&sb, " |%s", *p);
		for (char **p = lists.implied; p && *p; p++)
			strbuf_addf(&sb, " ~%s", *p);
	}
	assert_int_equal(fstatat(dir, "file", &st, 0), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_nlink, 1);
	scratch_close(dir);
	return strbuf_take(&sb);
}

struct row {
	const char *words, *result;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n && is_root(); i++) {
		_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
		_cleanup_free_ char *got = NULL;

		add_words(&a, rows[i].words);
		tar_end(&a);
		got = result(&a, &standard);
		if (strcmp(got, rows[i].result))
			fail_msg("%s:\n expected %s\n got      %s", rows[i].words, rows[i].result, got);
	}
}

static void test_whiteouts(void **state _unused_)
{
	static const struct row rows[] = {
		{"d:./ d:a f:a/.wh.b", "a/ a/b!"},
		{"d:. f:.wh.b", "b!"},
		{"d:. f:.wh.b f:.wh.b", "b!"},
		/* Whatever the order, the layer's own stays. */
		{"d:. f:.wh.b f:b=x", "b=x"},
		{"d:. f:b=x f:.wh.b", "b=x"},
		{"d:. f:.wh.b d:b", "b/ |b"},
		{"d:. d:b f:.wh.b", "b/ |b"},
		{"d:. d:b f:b/x=1 f:.wh.b", "b/ b/x=1 |b"},
		{"d:. f:.wh.b f:b/x=1", "b/ b/x=1 |b"},
		{"d:. f:b/x=1 f:.wh.b", "b/ b/x=1 |b"},
		{"d:. f:.wh.b f:b/c/x=1", "b/ b/c/ b/c/x=1 |b ~b/c"},
		{"d:. f:.wh.b l:b=x", "b->x"},
		{"d:. l:b=x f:.wh.b", "b->x"},
		{"d:. f:.wh.b d:b f:.wh.b f:b/x=1", "b/ b/x=1 |b"},
		/* Where nothing else is in the directory. */
		{"d:. f:a/.wh.b", "a/ a/b! ~a"},
		/* The form of overlayfs itself. */
		{"d:. c:b", "b!"},
		{"d:. c:b d:b", "b/ |b"},
		{"d:. f:b=x c:b", "b=x"},
		/* Other types of markers mean the same. */
		{"d:. d:.wh.b", "b!"},
		{"d:. l:.wh.b=x", "b!"},
		{"d:. f:x=1 h:.wh.b=x", "b! x=1"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static void test_opaque(void **state _unused_)
{
	static const struct row rows[] = {
		{"d:. d:a f:a/.wh..wh..opq", "a/ |a"},
		{"d:. d:a f:a/x=1 f:a/.wh..wh..opq", "a/ a/x=1 |a"},
		{"d:. d:a f:a/.wh..wh..opq f:a/x=1", "a/ a/x=1 |a"},
		{"d:. f:a/.wh..wh..opq", "a/ |a ~a"},
		{"d:. f:a/.wh..wh..opq d:a", "a/ |a"},
		{"d:. f:.wh..wh..opq", " |."},
		{"f:.wh..wh..opq f:a=1", "a=1 |. ~."},
		{"d:. d:a f:a/.wh..wh..opq f:a=now", "a=now"},
		{"d:. f:a=1 f:a/.wh..wh..opq", "\"a/.wh..wh..opq\": \"a\" is no directory"},
		{"d:. f:.wh..wh.plnk f:.wh..wh.aufs d:.wh..wh.orph f:.wh..wh.plnk/1.2=x", ""},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static void test_replaced(void **state _unused_)
{
	static const struct row rows[] = {
		{"d:. f:a=1 f:a=2", "a=2"},
		{"d:. f:a=1 f:./a=2 f:/a=3", "a=3"},
		{"d:. f:a=1 l:a=x", "a->x"},
		{"d:. l:a=../../file f:a=2", "a=2"},
		{"d:. l:a=.. d:a f:a/x=1", "a/ a/x=1 |a"},
		{"d:. p:a f:a=2", "a=2"},
		{"d:. f:a=1 p:a", "a?"},
		/* A directory that takes the place of something hides what the lower layers have there. */
		{"d:. f:a=1 d:a", "a/ |a"},
		{"d:. f:a=1 d:a f:a/x=1", "a/ a/x=1 |a"},
		{"d:. d:a f:a/x=1 d:a", "a/ a/x=1"},
		{"d:. d:a f:a=1", "a=1"},
		{"d:. d:a d:a/b f:a/b/c=1 f:a=1", "a=1"},
		{"d:. d:a d:a/b f:a/b/c=1 l:a=x", "a->x"},
		{"d:. d:a f:a/.wh.x f:a/.wh..wh..opq f:a=1 d:a", "a/ |a"},
		{"d:. d:a d:a/b f:a=1 d:a d:a/b f:a/b/c=1", "a/ a/b/ a/b/c=1 |a"},
		{"d:. f:a/b/c=1 f:a=1", "a=1"},
		{"d:. f:a/b/c=1 f:ab/c=2 f:a=1", "a=1 ab/ ab/c=2 ~ab"},
		{"d:. f:a=1 f:a/b=1", "\"a/b\": \"a\" is no directory"},
		/* Implied directories, told of later. */
		{"f:a/b=1", "a/ a/b=1 ~. ~a"},
		{"f:a/b=1 d:a d:./", "a/ a/b=1"},
		{"f:a/b/c=1 d:a/b", "a/ a/b/ a/b/c=1 ~. ~a"},
		{"d:/ f:/a=1", "a=1"},
		{"l:.=x", "\".\": the root is no directory"},
		{"f:/=x", "\"/\": the root is no directory"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

static void test_links(void **state _unused_)
{
	static const struct row rows[] = {
		{"d:. f:a=1 h:b=a", "a=1*2 b=1*2"},
		{"d:. f:a=1 h:b=/a", "a=1*2 b=1*2"},
		{"d:. f:a=1 h:d/b=./a", "a=1*2 d/ d/b=1*2 ~d"},
		{"d:. f:a=1 h:a=a", "a=1"},
		{"d:. f:a=1 h:b=a h:b=a h:a=b", "a=1*2 b=1*2"},
		{"d:. f:a=1 f:b=2 h:b=a", "a=1*2 b=1*2"},
		{"d:. f:a=1 d:b f:b/x=1 h:b=a", "a=1*2 b=1*2"},
		{"d:. l:a=../../file h:b=a", "a->../../file*2 b->../../file*2"},
		/* The other name keeps the old content. */
		{"d:. f:a=1 h:b=a f:a=2", "a=2 b=1"},
		{"d:. h:b=a", "\"b\": hard link to \"a\", which is not in this layer before it: links to files of "
			      "other layers are not supported"},
		{"d:. h:b=x/y", "\"b\": hard link to \"x/y\", which is not in this layer before it: links to files of "
				"other layers are not supported"},
		{"d:. f:.wh.a h:b=a", "\"b\": hard link to \"a\", which is not in this layer before it: links to "
				      "files of other layers are not supported"},
		{"d:. d:a h:b=a", "\"b\": hard link to \"a\", which is a directory"},
		{"d:. h:b=/", "\"b\": hard link to \"/\", which is no file"},
		{"d:. f:a=1 h:b=../a", "\"b\": hard link to \"../a\": name with \"..\""},
		{"d:. l:up=../.. h:b=up/file", "\"b\": hard link to \"up/file\", which is not in this layer before it: "
					       "links to files of other layers are not supported"},
		{"d:. d:d f:d/a=1 l:l=d h:b=l/a", "b=1*2 d/ d/a=1*2 l->d"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

/* Followed inside, as all others do; what is noted is the name behind them. */
static void test_symlinks_in_the_way(void **state _unused_)
{
	static const struct row rows[] = {
		{"d:. d:d l:l=d f:l/x=1", "d/ d/x=1 l->d"},
		{"d:. d:d l:l=/d f:l/x=1", "d/ d/x=1 l->/d"},
		{"d:. d:d d:e l:e/l=/d f:e/l/x=1", "d/ d/x=1 e/ e/l->/d"},
		{"d:. d:d d:d/e l:l=d f:l/e/x=1", "d/ d/e/ d/e/x=1 l->d"},
		{"d:. d:u d:u/lib l:lib=u/lib d:lib/y f:lib/y/z=1", "lib->u/lib u/ u/lib/ u/lib/y/ u/lib/y/z=1"},
		{"d:. l:l=../../.. f:l/file=1", "file=1 l->../../.."},
		{"d:. l:l=../../.. f:l/top/x=1", "l->../../.. top/ top/x=1 ~top"},
		{"d:. l:l=/tmp f:l/x=1", "l->/tmp tmp/ tmp/x=1 ~tmp"},
		{"d:. d:d l:l=d f:l/.wh..wh..opq", "d/ l->d |d"},
		{"d:. d:d l:l=d f:l/.wh.x", "d/ d/x! l->d"},
		{"d:. d:d d:e l:e/l=../d l:k=e/l/. f:k/x=1", "d/ d/x=1 e/ e/l->../d k->e/l/."},
		{"d:. l:a=b l:b=a f:a/x=1", "\"a/x\": too many symbolic links are in the way"},
		{"d:. l:a=a f:a/x=1", "\"a/x\": too many symbolic links are in the way"},
		{"d:. l:a=a/x f:a/x=1", "\"a/x\": too many symbolic links are in the way"},
		{"d:. f:f=1 l:a=f f:a/x=1", "\"a/x\": \"f\" is no directory"},
	};

	check_rows(rows, ELEMENTSOF(rows));
}

/* Directories with whiteouts, each once, and only where one is left in the end. */
static void test_hiding(void **state _unused_)
{
	_cleanup_layer_lists_ struct layer_lists lists = {0};
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *got = NULL;
	int top;

	if (!is_root())
		return;
	top = scratch_open();
	add_words(&a, "d:. f:z/.wh.a f:z/.wh.b f:.wh.top f:a/b/.wh.c f:n/.wh.x f:n/x=1 f:o/.wh.y d:o/y f:g/.wh.x f:g=1");
	tar_end(&a);
	if (unpack(top, &a, &standard, &lists, &e) < 0)
		fail_msg("%s", err_text(&e));
	got = strv_join(lists.hiding, " ");
	assert_string_equal(got, ". a/b z");
	scratch_close(top);
}

/* --- attributes --- */

static void test_attributes(void **state _unused_)
{
	static const char capability[20] = {1, 0, 0, 2, 0, 4};
	_cleanup_layer_lists_ struct layer_lists lists = {0};
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT, r = STRBUF_INIT;
	_cleanup_err_ struct err e = ERR_INIT;
	char value[64];
	struct stat st;
	int top;

	if (!is_root())
		return;
	top = scratch_open();
	tar_entry_add(&a, (struct tar_spec) {.type = '5', .name = "./", .mode = 01750});
	tar_entry_add(&a, (struct tar_spec) {.type = '5', .name = "d", .mode = 02755});
	tar_entry_add(&a, FILE_("d/later", "x"));
	tar_pax_record(&r, "SCHILY.xattr.security.capability", capability, sizeof capability);
	tar_pax_record(&r, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	tar_pax_record(&r, "SCHILY.xattr.user.overlay.opaque", "y", 1);
	tar_pax_record(&r, "SCHILY.xattr.security.selinux", "x", 1);
	tar_pax_record(&r, "SCHILY.acl.access", "u::rwx", 6);
	tar_pax_record(&r, "uid", "3000000000", 10);
	tar_pax_add(&a, 'x', r.buf, r.len);
	tar_entry_add(&a, (struct tar_spec) {.type = '0', .name = "ping", .mode = 04755, .data = "x"});
	tar_pax_one(&a, "SCHILY.xattr.trusted.overlay.opaque", "y");
	tar_entry_add(&a, SYM_("l", "x"));
	tar_entry_add(&a, DIR_("d"));
	/* No end mark at all. */
	assert_int_equal(unpack(top, &a, &standard, &lists, &e), 0);
	assert_int_equal(fstatat(top, "rootfs", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 01750);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(fstatat(top, "rootfs/d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(fstatat(top, "rootfs/ping", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 04755);
	assert_int_equal(st.st_uid, 3000000000u);
	_cleanup_fd_ int ping = openat(top, "rootfs/ping", O_RDONLY | O_CLOEXEC);
	ssize_t n = flistxattr(ping, value, sizeof value);

	assert_int_equal(n, sizeof "security.capability");
	assert_string_equal(value, "security.capability");
	assert_null(lists.opaque);
	assert_null(lists.implied);
	scratch_close(top);
}

static void test_limits(void **state _unused_)
{
	static const struct untar_limits two = {.bytes = 10, .entries = 3, .depth = 3};
	static const struct row rows[] = {
		{"f:a=1 f:b=2 f:c=3 f:d=4", "\"d\": the layer has more than the limit of 3 entries"},
		{"f:a=123456 f:b=123456", "\"b\": the layer is larger than the limit of 10 bytes"},
		{"f:a/b/c/d=1", "\"a/b/c/d\": path too deep"},
		{"f:a/b/c=1", "a/ a/b/ a/b/c=1 ~. ~a ~a/b"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows) && is_root(); i++) {
		_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
		_cleanup_free_ char *got = NULL;

		add_words(&a, rows[i].words);
		got = result(&a, &two);
		assert_string_equal(got, rows[i].result);
	}
}

static void test_ends(void **state _unused_)
{
	static const char zeros[1024];
	static const struct {
		size_t zeros;
		const char *more, *result;
	} rows[] = {
		{0, NULL, "a=1"},
		{512, NULL, "a=1"},
		{1024, NULL, "a=1"},
		{100, NULL, "the archive is cut short"},
		{1024, "x", "there is something behind the end of the archive"},
		{512, "x", "the archive is cut short"},
	};

	for (size_t i = 0; i < ELEMENTSOF(rows) && is_root(); i++) {
		_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
		_cleanup_free_ char *got = NULL;

		add_words(&a, "d:. f:a=1");
		strbuf_add(&a, zeros, rows[i].zeros);
		if (rows[i].more)
			strbuf_adds(&a, rows[i].more);
		got = result(&a, &standard);
		assert_string_equal(got, rows[i].result);
	}
}

/* Many directories with content are replaced: the notes would be gone through each time. */
static void test_many_replaced(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf a = STRBUF_INIT;
	_cleanup_free_ char *got = NULL;

	for (int i = 0; i <= LAYER_DIRS_REPLACED_MAX; i++)
		add_words(&a, "f:a/b=1 f:a=1 f:.wh.a d:a");
	tar_end(&a);
	if (!is_root())
		return;
	got = result(&a, &standard);
	assert_string_equal(got, "\"a\": the layer replaces more than 1000 directories of its own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whiteouts),
		cmocka_unit_test(test_opaque),	    cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_links),	    cmocka_unit_test(test_symlinks_in_the_way),
		cmocka_unit_test(test_hiding), cmocka_unit_test(test_attributes),  cmocka_unit_test(test_limits),
		cmocka_unit_test(test_ends),	    cmocka_unit_test(test_many_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
