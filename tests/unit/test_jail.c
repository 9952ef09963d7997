#include "tests/unit/unit.h"

#include <linux/capability.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "stage0/worker/jail.h"

/* In the child: the first thing that is not as it should be is its exit status, a line number. */
#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			_exit(__LINE__ % 251 + 1);                                                 \
	} while (0)

/* Run fn in a child; its wait status. */
static int in_child(void (*fn)(int dir), int dir)
{
	pid_t pid = fork();
	int st;

	assert_true(pid >= 0);
	if (pid == 0) {
		fn(dir);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return st;
}

static void enter(const struct jail *j)
{
	_cleanup_err_ struct err e = ERR_INIT;

	if (jail_enter(j, &e) != 1) {
		(void) fprintf(stderr, "%s\n", err_text(&e));
		_exit(250);
	}
}

static uint64_t effective_caps(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	CHECK(syscall(SYS_capget, &head, data) == 0);
	CHECK(data[0].permitted == data[0].effective && !data[0].inheritable);
	return data[0].effective | (uint64_t) data[1].effective << 32;
}

static const struct jail files = {
	.uid = JAIL_UID_UNPACK,
	.caps = 1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE,
	.filter = JAIL_FILTER_FILES,
	.files = 40,
};

/* Everything that does not need a forbidden call to be seen. */
static void check_files(int dir)
{
	struct jail j = files;
	struct stat st;
	int fd;

	j.root = dir;
	enter(&j);
	CHECK(stat("/", &st) == 0);
	/* Nothing but what is in the directory; no way up. */
	CHECK(open("/inside", O_RDONLY | O_CLOEXEC) >= 0);
	CHECK(open("/../../inside", O_RDONLY | O_CLOEXEC) >= 0);
	CHECK(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == ENOENT);
	CHECK(open("/proc/self/status", O_RDONLY | O_CLOEXEC) < 0);
	fd = open("/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == JAIL_UID_UNPACK);
	CHECK(fchown(fd, 0, 0) == 0);
}

static void check_caps(int dir)
{
	struct jail j = files;

	j.root = dir;
	j.filter = JAIL_FILTER_DENY;
	enter(&j);
	CHECK(effective_caps() == j.caps);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
	CHECK(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) == 1);
	CHECK(getuid() == JAIL_UID_UNPACK && getegid() == JAIL_UID_UNPACK && syscall(SYS_getgroups, 0, NULL) == 0);
	CHECK(setresuid(0, 0, 0) < 0);
	CHECK(syscall(SYS_unshare, 0x10000000) < 0 && errno == EPERM); /* CLONE_NEWUSER */
	CHECK(chroot("/") < 0);
	struct rlimit rl;
	CHECK(getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_max == 40);
	CHECK(getrlimit(RLIMIT_CORE, &rl) == 0 && rl.rlim_max == 0);
	int sig = 0;
	CHECK(prctl(PR_GET_PDEATHSIG, &sig) == 0 && sig == SIGKILL);
}

static void check_network(int dir)
{
	struct jail j = files;
	struct if_nameindex *v;

	j.root = dir;
	j.filter = JAIL_FILTER_DENY;
	enter(&j);
	/* lo is in every network namespace, and it is down. */
	v = if_nameindex();
	CHECK(v && v[0].if_name && !strcmp(v[0].if_name, "lo") && !v[1].if_name);
}

static void *nothing(void *arg)
{
	return arg;
}

static void check_threads(int dir)
{
	struct jail j = files;
	pthread_t t;

	j.root = dir;
	enter(&j);
	CHECK(pthread_create(&t, NULL, nothing, NULL) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

static void try_socket(int dir)
{
	struct jail j = files;

	j.root = dir;
	enter(&j);
	(void) socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void try_exec(int dir)
{
	struct jail j = files;

	j.root = dir;
	enter(&j);
	(void) execl("/inside", "inside", (char *) NULL);
}

static void try_fork(int dir)
{
	struct jail j = files;

	j.root = dir;
	enter(&j);
	(void) fork();
}

static void check_private(int dir)
{
	static const char *const shared[] = {"/usr", "/bin", "/lib", "/lib64", "/dev/null", "/no/such", NULL};
	const struct jail j = {.uid = JAIL_UID_VERIFY, .root = -EBADF, .shared = shared, .filter = JAIL_FILTER_DENY};
	int fd;

	(void) dir;
	enter(&j);
	CHECK(effective_caps() == 0);
	CHECK(access("/usr/bin/env", X_OK) == 0);
	CHECK(access("/etc", F_OK) < 0 && access("/proc", F_OK) < 0 && access("/root", F_OK) < 0);
	CHECK(open("/usr/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
	CHECK(open("/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	fd = open(JAIL_HOME "/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
}

static void check_all(void **state _unused_)
{
	static void (*const checks[])(int) = {check_files, check_caps, check_network, check_threads, check_private};
	static void (*const deadly[])(int) = {try_socket, try_exec, try_fork};
	int dir, tree;

	if (geteuid() != 0)
		return;
	dir = scratch_open();
	assert_int_equal(mkdirat(dir, "tree", 0755), 0);
	tree = openat(dir, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void) fd_close(openat(tree, "inside", O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
	for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
		int st = in_child(checks[i], tree);

		if (st)
			fail_msg("check %zu: wait status %x (line %d modulo 251)", i, st, WEXITSTATUS(st) - 1);
	}
	for (size_t i = 0; i < ELEMENTSOF(deadly) && !JAIL_SANITIZED; i++) {
		int st = in_child(deadly[i], tree);

		if (!WIFSIGNALED(st) || WTERMSIG(st) != SIGSYS)
			fail_msg("deadly call %zu: wait status %x", i, st);
	}
	/* Nothing of it is in the host's mount namespace. */
	(void) fd_close(tree);
	scratch_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(check_all)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
