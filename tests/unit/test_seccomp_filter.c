/* Filters as the kernel applies them: built here, loaded in a child, tried with real calls. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "stage1/seccomp/filter.h"

/* What the call gives under the filter: 0, an errno, or 1000 + the signal that ended the caller. */
static int try(const struct seccomp_text *t, long nr, long a, long b, long c)
{
	_cleanup_free_ char *program = NULL;
	_cleanup_err_ struct err e = ERR_INIT;
	struct sock_fprog f;
	size_t len;
	int st;
	pid_t pid;

	if (seccomp_compile(t, &program, &len, &e) < 0)
		fail_msg("%s", err_text(&e));
	f = (struct sock_fprog) {(unsigned short) (len / sizeof(struct sock_filter)), (struct sock_filter *) program};
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f))
			_exit(255);
		/* Not _exit(): in front of what never returns the address sanitizer makes calls of its own. */
		(void) syscall(SYS_exit_group, syscall(nr, a, b, c, 0, 0, 0) < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return WIFSIGNALED(st) ? 1000 + WTERMSIG(st) : WEXITSTATUS(st);
}

static void the_default(void **state)
{
	struct seccomp_text t = {.mode = SECCOMP_DEFAULT};
	static const struct {
		long nr, a, b, c;
		int want;
	} rows[] = {
		{SYS_getpid, 0, 0, 0, 0},
		{SYS_mount, 0, 0, 0, EPERM},
		{SYS_unshare, CLONE_NEWNS, 0, 0, EPERM},
		{SYS_keyctl, 0, 0, 0, EPERM},
		{SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, EPERM},
		{435, 0, 0, 0, ENOSYS}, /* clone3 */
		{9999, 0, 0, 0, ENOSYS},
		{SYS_socket, AF_VSOCK, SOCK_STREAM, 0, EPERM},
		{SYS_socket, AF_ALG, SOCK_SEQPACKET, 0, EPERM},
		{SYS_socket, 0x100000000L | AF_VSOCK, SOCK_STREAM, 0, EPERM},
		{SYS_socket, AF_INET, SOCK_STREAM, 0, 0},
		{SYS_ioctl, 0, 0x5412, 0, EPERM},
		{SYS_ioctl, 0, 0x100005412L, 0, EPERM}, /* CVE-2019-7303 */
		{SYS_ioctl, 0, 0x541c, 0, EPERM},
		{SYS_personality, 0xffffffff, 0, 0, 0},
		{SYS_personality, 0x0040000, 0, 0, EPERM}, /* ADDR_NO_RANDOMIZE */
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++)
		if (try(&t, rows[i].nr, rows[i].a, rows[i].b, rows[i].c) != rows[i].want)
			fail_msg("row %zu: %d", i, try(&t, rows[i].nr, rows[i].a, rows[i].b, rows[i].c));
}

static void a_capability_opens(void **state)
{
	char *caps[] = {(char *) "CAP_SYS_ADMIN", NULL};
	struct seccomp_text t = {.mode = SECCOMP_DEFAULT, .caps = caps};

	(void) state;
	assert_int_equal(try(&t, SYS_unshare, 0, 0, 0), 0);
	assert_int_equal(try(&t, SYS_init_module, 0, 0, 0), EPERM);
}

static void retain_and_remove(void **state)
{
	char *calls[] = {(char *) "getppid", (char *) "exit", (char *) "exit_group", NULL};
	char *removed[] = {(char *) "getppid", (char *) "cachestat", NULL};
	struct seccomp_text retain = {.mode = SECCOMP_RETAIN, .calls = calls};
	struct seccomp_text retain_errno = {.mode = SECCOMP_RETAIN, .calls = calls, .err_no = (char *) "EDOM"};
	struct seccomp_text remove = {.mode = SECCOMP_REMOVE, .calls = removed};
	struct seccomp_text remove_errno = {.mode = SECCOMP_REMOVE, .calls = removed, .err_no = (char *) "EXDEV"};

	(void) state;
	assert_int_equal(try(&retain, SYS_getppid, 0, 0, 0), 0);
	assert_int_equal(try(&retain, SYS_getuid, 0, 0, 0), 1000 + SIGSYS);
	assert_int_equal(try(&retain_errno, SYS_getuid, 0, 0, 0), EDOM);
	assert_int_equal(try(&remove, SYS_getuid, 0, 0, 0), 0);
	assert_int_equal(try(&remove, SYS_getppid, 0, 0, 0), 1000 + SIGSYS);
	assert_int_equal(try(&remove_errno, SYS_getppid, 0, 0, 0), EXDEV);
	remove_errno.err_no = (char *) "ENOTSUP";
	assert_int_equal(try(&remove_errno, SYS_getppid, 0, 0, 0), ENOTSUP);
	remove_errno.err_no = (char *) "EXDEV";
	assert_int_equal(try(&remove_errno, 451, 0, 0, 0), EXDEV); /* newer than libseccomp */
}

#ifdef __x86_64__
/* A 64-bit program that makes 32-bit calls meets the same filter. */
static void no_way_round_by_32_bits(void **state)
{
	struct seccomp_text t = {.mode = SECCOMP_DEFAULT};
	_cleanup_free_ char *program = NULL;
	struct sock_fprog f;
	size_t len;
	pid_t pid;
	int st;

	(void) state;
	assert_int_equal(seccomp_compile(&t, &program, &len, NULL), 0);
	f = (struct sock_fprog) {(unsigned short) (len / sizeof(struct sock_filter)), (struct sock_filter *) program};
	pid = fork();
	if (pid == 0) {
		long ret;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f))
			_exit(255);
		/* unshare(CLONE_NEWUTS) of i386 */
		__asm__ volatile("int $0x80" : "=a"(ret) : "a"(310), "b"(CLONE_NEWUTS) : "memory");
		_exit((int) -ret);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	/* A kernel without 32-bit calls ends the program. */
	assert_true(WIFSIGNALED(st) || WEXITSTATUS(st) == EPERM || WEXITSTATUS(st) == ENOSYS);
}
#endif

static void refusals(void **state)
{
	static char *bad_call[] = {(char *) "no_such_call", NULL}, *bad_set[] = {(char *) "@no/set", NULL};
	const struct {
		struct seccomp_text t;
		const char *text;
	} rows[] = {
		{{.mode = SECCOMP_REMOVE, .calls = bad_call}, "seccomp: unknown system call \"no_such_call\""},
		{{.mode = SECCOMP_RETAIN, .calls = bad_call}, "seccomp: unknown system call \"no_such_call\""},
		{{.mode = SECCOMP_RETAIN, .calls = bad_set}, "seccomp: unknown set \"@no/set\""},
		{{.mode = SECCOMP_RETAIN, .err_no = (char *) "ENOTSU"}, "seccomp: unknown errno \"ENOTSU\""},
		{{.mode = SECCOMP_RETAIN, .err_no = (char *) "EWHAT"}, "seccomp: unknown errno \"EWHAT\""},
	};

	(void) state;
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		_cleanup_err_ struct err e = ERR_INIT;
		char *program = NULL;
		size_t len;

		assert_true(seccomp_compile(&rows[i].t, &program, &len, &e) < 0);
		assert_string_equal(err_text(&e), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default),
		cmocka_unit_test(a_capability_opens),
		cmocka_unit_test(retain_and_remove),
#ifdef __x86_64__
		cmocka_unit_test(no_way_round_by_32_bits),
#endif
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
