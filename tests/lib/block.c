/*
 * block CALL[=ERRNO]... -- PROGRAM [ARG...]: run a program to which some system calls answer with an
 * error (ENOSYS unless said), as an older kernel or somebody's filter would.  The filter stays with all
 * of its children, so that a whole pod can be started under it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "add the architecture's AUDIT_ARCH_ here"
#endif

#define MAX_CALLS 32
#define CALL(name) { #name, SYS_##name }

static const struct {
	const char *name;
	long number;
} calls[] = {
	CALL(bpf), CALL(clone3), CALL(close_range), CALL(execveat), CALL(fsconfig), CALL(fsmount), CALL(fsopen),
	CALL(memfd_create), CALL(mount), CALL(mount_setattr), CALL(move_mount), CALL(open_tree), CALL(openat2),
	CALL(pidfd_open), CALL(pidfd_send_signal), CALL(pivot_root), CALL(setns), CALL(unshare),
};

static const struct {
	const char *name;
	int number;
} errnos[] = {{"ENOSYS", ENOSYS}, {"EPERM", EPERM}, {"EINVAL", EINVAL}, {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC}};

static int fail(const char *what, const char *word)
{
	fprintf(stderr, "block: %s: %s\n", what, word);
	return 125;
}

static long call_number(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (strlen(calls[i].name) == len && !memcmp(calls[i].name, name, len))
			return calls[i].number;
	return -1;
}

static int errno_number(const char *name)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(*errnos); i++)
		if (!strcmp(errnos[i].name, name))
			return errnos[i].number;
	return -1;
}

static int load(const long *numbers, const int *answers, int n)
{
	struct sock_filter f[4 + 2 * MAX_CALLS] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, (unsigned char) (2 * n + 1)),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = {.filter = f};
	int k = 3;

	for (int i = 0; i < n; i++) {
		f[k++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) numbers[i], 0, 1);
		f[k++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) answers[i]);
	}
	f[k++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short) k;
	/* Root needs no no-new-privs for it, and must not get it: the pod is to be as it always is. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

int main(int argc, char **argv)
{
	long numbers[MAX_CALLS];
	int answers[MAX_CALLS], n = 0, i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		size_t len = strcspn(argv[i], "=");

		if (n == MAX_CALLS)
			return fail("too many calls", argv[i]);
		numbers[n] = call_number(argv[i], len);
		answers[n] = argv[i][len] ? errno_number(argv[i] + len + 1) : ENOSYS;
		if (numbers[n] < 0 || answers[n] < 0)
			return fail("unknown call or error", argv[i]);
		n++;
	}
	if (i + 1 >= argc)
		return fail("usage", "block CALL[=ERRNO]... -- PROGRAM [ARG...]");
	if (load(numbers, answers, n) < 0)
		return fail("load the filter", strerror(errno));
	execvp(argv[i + 1], argv + i + 1);
	return fail(argv[i + 1], strerror(errno));
}
