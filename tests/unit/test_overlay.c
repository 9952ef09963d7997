/*
 * overlay_new() by each of its ways, against looking into the layers ourselves (sys/stack.h).  A kernel that does not
 * know "lowerdir+" is played by --wrap=mnt_new.
 */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "sys/mountapi.h"
#include "sys/overlay.h"
#include "sys/stack.h"

static bool is_old;
static int by_string; /* how often lowers came in one string */

int __real_mnt_new(const char *type, const struct mnt_option *options, unsigned attrs, struct err *e);
int __wrap_mnt_new(const char *type, const struct mnt_option *options, unsigned attrs, struct err *e);
int __wrap_mnt_new(const char *type, const struct mnt_option *options, unsigned attrs, struct err *e)
{
	if (is_old && str_eq(options[0].key, "lowerdir+"))
		return err_set(e, EINVAL, "Unknown parameter");
	by_string += str_eq(options[0].key, "lowerdir");
	return __real_mnt_new(type, options, attrs, e);
}

struct dirs {
	char path[64];
	char **layers;
	int fd;
};

static void dirs_open(struct dirs *d)
{
	memcpy(d->path, "/tmp/gantry-overlay-XXXXXX", 27);
	d->layers = NULL;
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
}

static void dirs_close(struct dirs *d)
{
	(void) fd_close(d->fd);
	strv_free(d->layers);
	assert_int_equal(path_remove_tree(AT_FDCWD, d->path, NULL), 0);
}

static void add_layer(struct dirs *d)
{
	strv_push(&d->layers, xasprintf("layer%zu", strv_len(d->layers)));
	assert_int_equal(mkdirat(d->fd, d->layers[strv_len(d->layers) - 1], 0755), 0);
}

/*
 * kind: 'd', 'f', 'w' (whiteout), 'o' (opaque), 'l' (link).  Where something is in the way, links above all, nothing
 * is made: they lead out.
 */
static void put(const struct dirs *d, size_t layer, const char *name, char kind, const char *target)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", d->layers[layer], name);
	char *base = strrchr(path, '/');
	_cleanup_fd_ int parent = -EBADF, fd = -EBADF;

	*base++ = '\0';
	parent = path_open_beneath(d->fd, path, O_PATH | O_DIRECTORY, 0, PATH_NO_LINKS);
	if (parent < 0)
		return;
	switch (kind) {
	case 'd':
	case 'o':
		if (mkdirat(parent, base, 0755) < 0)
			break;
		fd = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		assert_true(fd >= 0);
		if (kind == 'o')
			assert_int_equal(fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0), 0);
		break;
	case 'f':
		fd = openat(parent, base, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
		break;
	case 'w':
		(void) mknodat(parent, base, S_IFCHR, makedev(0, 0));
		break;
	case 'l':
		if (symlinkat(target, parent, base) < 0)
			assert_int_equal(errno, EEXIST);
		break;
	}
}

static bool can_mount(const struct dirs *d)
{
	struct statfs fs;

	return geteuid() == 0 && fstatfs(d->fd, &fs) == 0 && fs.f_type != 0x794c7630;
}

static int make(const struct dirs *d, struct err *e)
{
	const struct overlay o = {.dir = d->fd, .lower = d->layers, .n_lower = strv_len(d->layers)};

	return overlay_new(&o, MNT_ATTR_RDONLY | MNT_ATTR_NODEV, e);
}

static void check_height(struct dirs *d, size_t n)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_fd_ int mnt = -EBADF;
	char name[32], cwd[64];

	while (strv_len(d->layers) < n) {
		size_t i = strv_len(d->layers);

		add_layer(d);
		(void) snprintf(name, sizeof name, "f%zu", i);
		put(d, i, name, 'f', NULL);
		if (i) {
			(void) snprintf(name, sizeof name, "f%zu", i - 1);
			put(d, i, name, 'w', NULL);
		}
	}
	assert_int_equal(chdir("/usr"), 0);
	mnt = make(d, &e);
	if (mnt < 0)
		fail_msg("%zu layers: %s", n, err_text(&e));
	(void) snprintf(name, sizeof name, "f%zu", n - 2);
	assert_int_equal(faccessat(mnt, name, F_OK, 0), -1);
	(void) snprintf(name, sizeof name, "f%zu", n - 1);
	assert_int_equal(faccessat(mnt, name, F_OK, 0), 0);
	assert_int_equal(mkdirat(mnt, "x", 0755), -1);
	assert_int_equal(errno, EROFS);
	/* and it left us where we were */
	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_string_equal(cwd, "/usr");
}

static void test_heights(void **state _unused_)
{
	static const size_t heights[] = {2, 15, 16, 60, 64, 100, 300, OVERLAY_LOWER_MAX};
	struct dirs d;

	dirs_open(&d);
	if (can_mount(&d))
		for (size_t i = 0; i < ELEMENTSOF(heights); i++)
			for (int old = 0; old < 2; old++) {
				is_old = old;
				check_height(&d, heights[i]);
			}
	assert_true(!can_mount(&d) || by_string >= 3);
	is_old = false;
	dirs_close(&d);
}

/* A writable one: what is written goes to the upper directory, by every way. */
static void test_writable(void **state _unused_)
{
	static const size_t heights[] = {2, 90};
	struct dirs d;

	dirs_open(&d);
	for (size_t i = 0; can_mount(&d) && i < ELEMENTSOF(heights); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_fd_ int mnt = -EBADF;
		struct overlay o = {.dir = d.fd, .upper = "upper", .work = "work", .source = "word"};

		while (strv_len(d.layers) < heights[i])
			add_layer(&d);
		o.lower = d.layers;
		o.n_lower = heights[i];
		(void) mkdirat(d.fd, "upper", 0755);
		(void) mkdirat(d.fd, "work", 0755);
		is_old = true;
		mnt = overlay_new(&o, MNT_ATTR_NODEV, &e);
		if (mnt < 0)
			fail_msg("%s", err_text(&e));
		assert_int_equal(mkdirat(mnt, i ? "b" : "a", 0755), 0);
		assert_int_equal(faccessat(d.fd, i ? "upper/b" : "upper/a", F_OK, 0), 0);
	}
	is_old = false;
	dirs_close(&d);
}

/* A user namespace in which 0 is 100000 here; -EBADF: there can be none. */
static int make_users(void)
{
	_cleanup_free_ char *ns = NULL, *uids = NULL, *gids = NULL;
	pid_t pid = (pid_t) syscall(SYS_clone, (unsigned long) CLONE_NEWUSER | SIGCHLD, 0UL, NULL, NULL, 0UL);
	int fd;

	if (pid < 0)
		return -EBADF;
	if (pid == 0)
		for (;;)
			(void) pause();
	ns = xasprintf("/proc/%d/ns/user", (int) pid);
	uids = xasprintf("/proc/%d/uid_map", (int) pid);
	gids = xasprintf("/proc/%d/gid_map", (int) pid);
	assert_int_equal(file_poke_at(AT_FDCWD, uids, "0 100000 65536"), 0);
	assert_int_equal(file_poke_at(AT_FDCWD, gids, "0 100000 65536"), 0);
	fd = open(ns, O_RDONLY | O_CLOEXEC);
	(void) kill(pid, SIGKILL);
	(void) proc_wait(pid);
	return fd;
}

/* Seen through the overlay owners are mapped, on disk they are not; by name, by number, by every way. */
static void check_mapped(const struct dirs *d, int users, size_t n, bool by_number)
{
	char *tops[] = {(char *) d->path, NULL};
	const struct overlay_map map = {users, 100000, tops};
	struct overlay o = {.dir = AT_FDCWD, .n_lower = n, .map = &map};
	_cleanup_strv_ char **lower = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_fd_ int mnt = -EBADF;
	struct stat st;

	for (size_t i = 0; i < n; i++) {
		int fd = by_number ? openat(d->fd, d->layers[i], O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;

		strv_push(&lower, by_number ? xasprintf("/proc/self/fd/%d", fd)
					    : xasprintf("%s/%s", d->path, d->layers[i]));
	}
	o.lower = lower;
	o.upper = xasprintf("%s/top/upper", d->path);
	o.work = xasprintf("%s/top/work", d->path);
	mnt = overlay_new(&o, MNT_ATTR_NODEV, &e);
	if (mnt < 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(fstatat(mnt, "file", &st, 0), 0);
	assert_int_equal(st.st_uid, 101234);
	assert_int_equal(fchownat(mnt, "file", 100007, 100008, 0), 0);
	assert_int_equal(fstatat(d->fd, "top/upper/file", &st, 0), 0);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 8);
	assert_int_equal(unlinkat(mnt, "file", 0), 0);
	assert_int_equal(fstatat(d->fd, "top/upper/file", &st, 0), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(unlinkat(d->fd, "top/upper/file", 0), 0);
	for (size_t i = 0; by_number && i < n; i++)
		(void) fd_close((int) strtol(lower[i] + strlen("/proc/self/fd/"), NULL, 10));
	free((char *) o.upper);
	free((char *) o.work);
}

static void test_mapped(void **state _unused_)
{
	static const size_t heights[] = {1, 3, 90};
	_cleanup_fd_ int users = geteuid() ? -EBADF : make_users();
	struct dirs d;

	dirs_open(&d);
	for (size_t i = 0; users >= 0 && can_mount(&d) && i < ELEMENTSOF(heights); i++) {
		while (strv_len(d.layers) < heights[i])
			add_layer(&d);
		if (!i) {
			assert_int_equal(mknodat(d.fd, "layer0/file", S_IFREG | 0644, 0), 0);
			assert_int_equal(fchownat(d.fd, "layer0/file", 1234, 50, 0), 0);
			assert_int_equal(mkdirat(d.fd, "top", 0755), 0);
			assert_int_equal(mkdirat(d.fd, "top/upper", 0755), 0);
			assert_int_equal(mkdirat(d.fd, "top/work", 0755), 0);
		}
		for (int old = 0; old < 2; old++) {
			is_old = old;
			check_mapped(&d, users, heights[i], false);
			check_mapped(&d, users, heights[i], true);
		}
	}
	is_old = false;
	dirs_close(&d);
}

static void test_refused(void **state _unused_)
{
	_cleanup_err_ struct err e = ERR_INIT, e2 = ERR_INIT;
	struct dirs d;

	dirs_open(&d);
	for (int i = 0; i <= OVERLAY_LOWER_MAX; i++)
		strv_push(&d.layers, xstrdup("none"));
	assert_int_equal(make(&d, &e), -EINVAL);
	assert_string_equal(err_text(&e), "overlayfs stacks 500 directories, not 501");
	free(d.layers[2]);
	d.layers[2] = NULL;
	is_old = true;
	assert_int_equal(make(&d, &e2), -ENOENT);
	assert_non_null(strstr(err_text(&e2), "none"));
	is_old = false;
	for (int i = 3; i <= OVERLAY_LOWER_MAX; i++)
		free(d.layers[i]);
	dirs_close(&d);
}

/* --- the same answers as the kernel ------------------------------------------------------------- */

static const char *const names[] = {"a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a", "a/a/b", "a/b/a", "b/a/a", "b/b/b"};
static const char *const targets[] = {"/", "..", "a", "/a/b", "../b", "../../../b/a", "b/./a", "/none", "a/"};

static void random_layer(const struct dirs *d, size_t layer)
{
	for (size_t i = 0; i < ELEMENTSOF(names); i++) {
		int what = rand() % 12;
		const char *target = targets[(size_t) rand() % ELEMENTSOF(targets)];

		put(d, layer, names[i], "ddddffwol..."[what], target);
	}
}

static void compare(const struct stack_dir *root, int mnt, const char *path)
{
	_cleanup_stack_node_ struct stack_node node = STACK_NODE_INIT;
	_cleanup_fd_ int fd = path_open_beneath(mnt, path, O_PATH, 0, PATH_IN_ROOT);
	int r = stack_find(root, path, &node);
	struct stat st;

	if ((fd < 0 || r < 0) && (fd < 0 ? fd : 0) != r)
		fail_msg("%s: the kernel says %d, we say %d", path, fd, r);
	if (r < 0)
		return;
	assert_int_equal(fstat(fd, &st), 0);
	if ((st.st_mode & S_IFMT) != (node.st.st_mode & S_IFMT))
		fail_msg("%s: the kernel says %o, we say %o", path, st.st_mode, node.st.st_mode);
	assert_int_equal(S_ISDIR(st.st_mode), node.dir.n > 0);
}

static void test_answers(void **state _unused_)
{
	static const char *const paths[] = {"/", "a/..", "a/b/..", "a/a/../../b", "b/../../a", "a/", "b/b/", "none", "a/none/x"};

	srand(7);
	for (int round = 0; round < 150; round++) {
		_cleanup_stack_dir_ struct stack_dir root = {0};
		_cleanup_err_ struct err e = ERR_INIT;
		_cleanup_fd_ int mnt = -EBADF;
		struct dirs d;

		dirs_open(&d);
		if (!can_mount(&d)) {
			dirs_close(&d);
			return;
		}
		for (size_t i = 0; i < 3; i++) {
			add_layer(&d);
			random_layer(&d, i);
		}
		mnt = make(&d, &e);
		if (mnt < 0 || stack_open(d.fd, d.layers, &root, &e) < 0)
			fail_msg("%s", err_text(&e));
		for (size_t i = 0; i < ELEMENTSOF(names); i++)
			compare(&root, mnt, names[i]);
		for (size_t i = 0; i < ELEMENTSOF(paths); i++)
			compare(&root, mnt, paths[i]);
		mnt = fd_close(mnt);
		dirs_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heights),
		cmocka_unit_test(test_writable),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
