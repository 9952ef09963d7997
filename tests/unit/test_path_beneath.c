/*
 * path_open_beneath() has two ways, openat2(2) and a walk of our own: the kernel's answers on a
 * tree full of traps are what the walk is compared with, in a child that has openat2 blocked.
 */
#include "tests/unit/unit.h"

#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/block.h"

/* --- the tree ----------------------------------------------------------------------------------- */

static const struct {
	const char *link, *target;
} links[] = {
	{"abs", "/dir"},
	{"absfile", "/dir/file"},
	{"rel", "dir/sub"},
	{"up", "../../../../dir"},
	{"dotdot", ".."},
	{"dot", "."},
	{"root", "/"},
	{"loop1", "loop2"},
	{"loop2", "loop1"},
	{"self", "self"},
	{"dangling", "nowhere"},
	{"danglingabs", "/nowhere/x"},
	{"trailing", "dir/"},
	{"trailfile", "dir/file/"},
	{"outside", "/etc/passwd"},
	{"winding", "dir/../dir/./sub//deep"},
	{"dir/back", "../dir/file"},
	{"dir/sub/abs", "/dir/sub/deep"},
	{"dir/sub/toofar", "../../../../../dir/file"},
	{"throughfile", "dir/file/../file"},
};

static void make_file(int root, const char *path)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	fd_close(fd);
}

static void make_tree(int root)
{
	char from[16], to[16];
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkdirat(root, "dir", 0755), 0);
	assert_int_equal(mkdirat(root, "dir/sub", 0755), 0);
	make_file(root, "dir/file");
	make_file(root, "dir/sub/deep");
	assert_int_equal(mkfifoat(root, "fifo", 0600), 0);
	(void) snprintf(sa.sun_path, sizeof sa.sun_path, "%s/sock", scratch_path);
	assert_int_equal(bind(s, (struct sockaddr *) &sa, sizeof sa), 0);
	fd_close(s);
	for (size_t i = 0; i < ELEMENTSOF(links); i++)
		assert_int_equal(symlinkat(links[i].target, root, links[i].link), 0);
	/* chain1 is one link away from the file, chain41 one too many. */
	for (int i = 1; i <= 41; i++) {
		(void) snprintf(from, sizeof from, "chain%d", i);
		(void) snprintf(to, sizeof to, "chain%d", i - 1);
		assert_int_equal(symlinkat(i == 1 ? "dir/file" : to, root, from), 0);
	}
}

static const char *const paths[] = {
	"dir/file", "/dir/file", "//dir///file", "dir", "dir/", "dir/.", "dir/..", "dir/sub/../..", ".", "..", "/", "///",
	"../../..", "/../dir/file", "dir/../../dir/file", "./dir/./file", "dir/file/", "dir/file/.", "dir/file/..",
	"dir/file/x", "missing", "missing/", "missing/x", "dir/missing", "dir/sub/deep", "", "abs", "abs/", "abs/file",
	"abs/..", "absfile", "absfile/", "rel", "rel/deep", "rel/..", "rel/../file", "up", "up/file", "dotdot",
	"dotdot/dir/file", "dotdot/dotdot/dotdot/dir", "dot", "dot/dot/dot/dir/file", "root", "root/dir/file", "root/..",
	"loop1", "loop1/x", "self", "self/..", "dangling", "dangling/", "dangling/x", "danglingabs", "trailing",
	"trailing/file", "trailfile", "outside", "outside/..", "winding", "winding/", "dir/back", "dir/sub/abs",
	"dir/sub/toofar", "throughfile", "chain1", "chain39", "chain40", "chain41", "chain40/", "fifo", "fifo/", "sock",
	"dir/sub/abs/..", "abs/sub/abs", "up/sub/../../up/sub/deep", "rel/toofar",
};

static const int flag_sets[] = {
	O_PATH,
	O_PATH | O_NOFOLLOW,
	O_PATH | O_DIRECTORY,
	O_RDONLY | O_NONBLOCK,
	O_RDONLY | O_NONBLOCK | O_NOFOLLOW,
	O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
	O_WRONLY | O_NONBLOCK,
	O_WRONLY | O_NONBLOCK | O_CREAT | O_EXCL,
	O_WRONLY | O_NONBLOCK | O_CREAT,
};

static const unsigned hows[] = {PATH_IN_ROOT, PATH_NO_LINKS, PATH_NO_XDEV, PATH_NO_LINKS | PATH_NO_XDEV};

/* Where a descriptor leads to, below the scratch directory; or the error. */
static void add_answer(struct strbuf *sb, int fd)
{
	char link[40], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fd < 0) {
		strbuf_addf(sb, " %s\n", strerrorname_np(-fd));
		return;
	}
	(void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof target - 1);
	target[n < 0 ? 0 : n] = '\0';
	(void) fstat(fd, &st);
	if (str_starts(target, scratch_path))
		strbuf_addf(sb, " %06o %s\n", st.st_mode & S_IFMT, target + strlen(scratch_path));
	else
		strbuf_addf(sb, " %06o outside\n", st.st_mode & S_IFMT);
	fd_close(fd);
}

/* A trailing slash with O_CREAT is always EISDIR for the kernel; the walk says ENOENT or ENOTDIR. */
static bool is_skipped(const char *path, int flags)
{
	return flags & O_CREAT && (str_ends(path, "/") || str_ends(path, "trailfile"));
}

static char *ask_all(void)
{
	struct strbuf sb = STRBUF_INIT;
	int root = scratch_open();

	make_tree(root);
	for (size_t f = 0; f < ELEMENTSOF(flag_sets); f++) {
		for (size_t h = 0; h < ELEMENTSOF(hows); h++) {
			for (size_t p = 0; p < ELEMENTSOF(paths); p++) {
				int fd;

				if (is_skipped(paths[p], flag_sets[f]))
					continue;
				fd = path_open_beneath(root, paths[p], flag_sets[f], 0600, hows[h]);
				strbuf_addf(&sb, "flags %o how %u %s:", (unsigned) flag_sets[f], hows[h], q(paths[p]));
				add_answer(&sb, fd);
			}
		}
	}
	scratch_close(root);
	return strbuf_take(&sb);
}

/* Type and error only: what is below /proc/self differs from process to process. */
static char *ask_host(void)
{
	static const char *const host[] = {
		"proc", "proc/self", "proc/self/stat", "proc/mounts", "proc/net/dev", "proc/self/exe", "proc/self/cwd",
		"proc/self/cwd/..", "proc/self/root", "proc/self/root/etc", "proc/self/fd/0", "proc/self/ns/pid",
		"proc/thread-self/exe", "proc/self/task/../exe", "proc/version", "proc/../proc/self/exe", "proc/self/fd",
	};
	struct strbuf sb = STRBUF_INIT;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t f = 0; f < 3; f++) {
		for (size_t h = 0; h < ELEMENTSOF(hows); h++) {
			for (size_t p = 0; p < ELEMENTSOF(host); p++) {
				int fd = path_open_beneath(root, host[p], flag_sets[f], 0, hows[h]);

				strbuf_addf(&sb, "flags %o how %u %s:", (unsigned) flag_sets[f], hows[h], host[p]);
				add_answer(&sb, fd);
			}
		}
	}
	fd_close(root);
	return strbuf_take(&sb);
}

/* The answer of `ask` in a child where openat2(2) gives this error. */
static char *ask_without_openat2(char *(*ask)(void), unsigned error)
{
	char *text = NULL;
	int p[2], st;
	pid_t pid;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		/* valgrind knows no openat2(2) at all. */
		if (block_syscall(SYS_openat2, error) < 0 || syscall(SYS_openat2, -1, NULL, NULL, 0) != -1 ||
		    (errno != (int) error && errno != ENOSYS))
			_exit(9);
		text = ask();
		(void) write_all(p[1], text, strlen(text));
		free(text);
		_exit(0);
	}
	fd_close(p[1]);
	assert_int_equal(read_all(p[0], 1u << 22, &text, NULL), 0);
	fd_close(p[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	return text;
}

static void assert_same(const char *kernel, const char *walk)
{
	_cleanup_strv_ char **a = strv_split(kernel, '\n'), **b = strv_split(walk, '\n');

	assert_int_equal(strv_len(a), strv_len(b));
	for (size_t i = 0; a[i]; i++)
		assert_string_equal(b[i], a[i]);
}

static void compare(char *(*ask)(void))
{
	static const unsigned errors[] = {ENOSYS, EPERM};
	unsigned fds = count_fds();
	_cleanup_free_ char *kernel = ask();

	for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
		_cleanup_free_ char *walk = ask_without_openat2(ask, errors[i]);

		assert_same(kernel, walk);
	}
	assert_int_equal(count_fds(), fds);
}

static void test_compare_tree(void **state _unused_)
{
	compare(ask_all);
}

static void test_compare_host(void **state _unused_)
{
	compare(ask_host);
}

/* What the answers are, in so many words: the kernel and the walk could be wrong together. */
static char *ask_known(void)
{
	static const struct {
		const char *path;
		int flags;
		unsigned how;
		const char *answer;
	} rows[] = {
		{"/dir/file", O_RDONLY, 0, " 100000 /dir/file\n"},
		{"../../dir/file", O_RDONLY, 0, " 100000 /dir/file\n"},
		{"/..", O_PATH, 0, " 040000 \n"},
		{"abs/file", O_RDONLY, 0, " 100000 /dir/file\n"},
		{"up/file", O_RDONLY, 0, " 100000 /dir/file\n"},
		{"dir/sub/toofar", O_RDONLY, 0, " 100000 /dir/file\n"},
		{"outside", O_RDONLY, 0, " ENOENT\n"},
		{"loop1", O_RDONLY, 0, " ELOOP\n"},
		{"chain40", O_RDONLY, 0, " 100000 /dir/file\n"},
		{"chain41", O_RDONLY, 0, " ELOOP\n"},
		{"abs", O_PATH, PATH_NO_LINKS, " ELOOP\n"},
		{"abs/file", O_RDONLY, PATH_NO_LINKS, " ELOOP\n"},
		{"dir/file", O_RDONLY, PATH_NO_LINKS, " 100000 /dir/file\n"},
		{"abs", O_PATH | O_NOFOLLOW, PATH_NO_LINKS, " 120000 /abs\n"},
		{"abs", O_RDONLY | O_NOFOLLOW, 0, " ELOOP\n"},
		{"dir/file/", O_RDONLY, 0, " ENOTDIR\n"},
		{"dir/file/..", O_PATH, 0, " ENOTDIR\n"},
		{"dangling", O_WRONLY | O_CREAT | O_EXCL, 0, " EEXIST\n"},
		{"dangling", O_WRONLY | O_CREAT, 0, " 100000 /nowhere\n"},
		{"", O_PATH, 0, " ENOENT\n"},
	};
	struct strbuf all = STRBUF_INIT;
	int root = scratch_open();

	make_tree(root);
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

		add_answer(&sb, path_open_beneath(root, rows[i].path, rows[i].flags, 0600, rows[i].how));
		if (!str_eq(sb.buf, rows[i].answer))
			strbuf_addf(&all, "%s:%s", rows[i].path, sb.buf);
	}
	scratch_close(root);
	return strbuf_take(&all);
}

static void test_known(void **state _unused_)
{
	_cleanup_free_ char *kernel = ask_known(), *walk = ask_without_openat2(ask_known, ENOSYS);

	assert_string_equal(kernel, "");
	assert_string_equal(walk, "");
}

static char *ask_long(void)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
	_cleanup_free_ char *name = xcalloc(NAME_MAX + 2, 1);
	struct strbuf sb = STRBUF_INIT;
	int root = scratch_open(), at = fd_copy(root);

	memset(name, 'n', NAME_MAX + 1);
	add_answer(&sb, path_open_beneath(root, name, O_PATH, 0, 0));
	name[NAME_MAX] = '\0';
	add_answer(&sb, path_open_beneath(root, name, O_PATH, 0, 0));
	for (int i = 0; i < 300; i++) {
		int next;

		strbuf_adds(&path, "deep/");
		assert_int_equal(mkdirat(at, "deep", 0700), 0);
		next = openat(at, "deep", O_PATH | O_CLOEXEC);
		fd_close(at);
		at = next;
	}
	fd_close(at);
	at = path_open_beneath(root, path.buf, O_PATH, 0, 0);
	strbuf_addf(&sb, " %d", at >= 0);
	fd_close(at);
	while (path.len < PATH_MAX)
		strbuf_adds(&path, "./");
	add_answer(&sb, path_open_beneath(root, path.buf, O_PATH, 0, 0));
	scratch_close(root);
	return strbuf_take(&sb);
}

static void test_long(void **state _unused_)
{
	_cleanup_free_ char *kernel = ask_long(), *walk = ask_without_openat2(ask_long, ENOSYS);

	assert_string_equal(kernel, " ENAMETOOLONG\n ENOENT\n 1 ENAMETOOLONG\n");
	assert_string_equal(walk, kernel);
}

/* Who swaps two names, all the time, until killed. */
static pid_t start_swapping(int root)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			(void) renameat2(root, "swap", root, "other", RENAME_EXCHANGE);
			(void) renameat2(root, "last", root, "link", RENAME_EXCHANGE);
		}
	}
	return pid;
}

/* Directories and files become links to outside and back: nothing outside is ever opened. */
static char *ask_race(void)
{
	static const char *const wanted[] = {"swap/secret", "swap/../secret", "last"};
	struct strbuf sb = STRBUF_INIT;
	int top = scratch_open(), root;
	pid_t pid;

	make_file(top, "secret");
	assert_int_equal(mkdirat(top, "in", 0755), 0);
	assert_int_equal(mkdirat(top, "in/swap", 0755), 0);
	assert_int_equal(symlinkat("../..", top, "in/other"), 0);
	make_file(top, "in/last");
	assert_int_equal(symlinkat("../secret", top, "in/link"), 0);
	root = openat(top, "in", O_PATH | O_CLOEXEC);
	pid = start_swapping(root);
	for (int i = 0; i < 6000; i++) {
		_cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
		int fd = path_open_beneath(root, wanted[i % 3], O_RDONLY, 0, 0);

		if (fd < 0)
			continue;
		add_answer(&answer, fd);
		/* The file may have been renamed since, but it is still one of ours. */
		if (!strstr(answer.buf, " /in/"))
			strbuf_adds(&sb, answer.buf);
	}
	(void) kill(pid, SIGKILL);
	(void) waitpid(pid, NULL, 0);
	fd_close(root);
	scratch_close(top);
	return strbuf_take(&sb);
}

static void test_race(void **state _unused_)
{
	_cleanup_free_ char *kernel = ask_race(), *walk = ask_without_openat2(ask_race, ENOSYS);

	assert_string_equal(kernel, "");
	assert_string_equal(walk, "");
}

/* --- making directories ------------------------------------------------------------------------- */

static mode_t mode_of(int root, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (geteuid() == 0)
		assert_true(st.st_uid == 0 && st.st_gid == 0);
	return st.st_mode & 07777;
}

static int mkdirs(int root, const char *path, unsigned how)
{
	int fd = path_mkdirs_beneath(root, path, 0755, how);

	if (fd >= 0)
		assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	fd_close(fd);
	return fd < 0 ? fd : 0;
}

static char *ask_mkdirs(void)
{
	int root = scratch_open();
	mode_t old = umask(077);
	unsigned fds = count_fds();

	make_tree(root);
	assert_int_equal(fchmodat(root, "dir", 0711, 0), 0);
	assert_int_equal(mkdirs(root, "/dir/new/a/b", 0), 0);
	assert_int_equal(mode_of(root, "dir"), 0711);
	assert_int_equal(mode_of(root, "dir/new"), 0755);
	assert_int_equal(mode_of(root, "dir/new/a/b"), 0755);
	assert_int_equal(mkdirs(root, "dir/new/a/b", 0), 0);
	assert_int_equal(mkdirs(root, "/", 0), 0);
	assert_int_equal(mkdirs(root, "", 0), 0);
	/* Through links, inside; and out of it: nowhere. */
	assert_int_equal(mkdirs(root, "abs/through", 0), 0);
	assert_int_equal(mode_of(root, "dir/through"), 0755);
	assert_int_equal(mkdirs(root, "../../upper/x", 0), 0);
	assert_int_equal(mode_of(root, "upper/x"), 0755);
	assert_int_equal(mkdirs(root, "dir/sub/../../dotted", 0), 0);
	assert_int_equal(mode_of(root, "dotted"), 0755);
	assert_int_equal(mkdirs(root, "abs/no", PATH_NO_LINKS), -ELOOP);
	assert_int_equal(mkdirs(root, "dir/file/x", 0), -ENOTDIR);
	assert_int_equal(mkdirs(root, "dangling", 0), -ENOTDIR);
	assert_int_equal(mkdirs(root, "dangling/x", 0), -ENOTDIR);
	assert_int_equal(mkdirs(root, "loop1/x", 0), -ELOOP);
	assert_int_equal(mkdirs(root, "gone/../x", 0), 0);
	assert_int_equal(faccessat(root, "nowhere", F_OK, 0), -1);
	assert_int_equal(count_fds(), fds);
	(void) umask(old);
	scratch_close(root);
	return xstrdup("");
}

static void test_mkdirs_beneath(void **state _unused_)
{
	if (geteuid() == 0) {
		_cleanup_free_ char *kernel = ask_mkdirs(), *walk = ask_without_openat2(ask_mkdirs, ENOSYS);
	} else {
		int root = scratch_open();

		/* Owner 0:0 is what was promised. */
		assert_int_equal(mkdirs(root, "x", 0), -EPERM);
		scratch_close(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare_tree), cmocka_unit_test(test_compare_host),
		cmocka_unit_test(test_known),	     cmocka_unit_test(test_long),
		cmocka_unit_test(test_race),	     cmocka_unit_test(test_mkdirs_beneath),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
