/*
 * System call filters of the workers (libseccomp).
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>

#include "stage0/worker/jail.h"

/* Files below the root, memory, threads: all that unpacking needs. */
static const char *const files_only[] = {
	"read", "pread64", "readv", "write", "pwrite64", "writev", "close", "lseek", "ftruncate",
	"openat", "openat2", "fstat", "newfstatat", "statx", "getdents64", "readlinkat", "flistxattr", "fgetxattr",
	"mkdirat", "mknodat", "symlinkat", "linkat",
	"fchown", "fchownat", "fchmod", "fchmodat", "utimensat", "fsetxattr", "lsetxattr", "fchdir",
	"fallocate", "fcntl", "poll", "ppoll",
	"mmap", "munmap", "mremap", "mprotect", "madvise", "brk",
	"futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "tgkill", "gettid", "getpid", "getrandom",
	"sysinfo", /* qsort(3), before it takes memory */
	"clock_gettime", "clock_nanosleep", "exit", "exit_group", "restart_syscall",
};

/* In a layer a later entry takes the place of an earlier one (path_remove_tree); modes at creation. */
static const char *const replacing[] = {"unlinkat", "renameat", "faccessat", "faccessat2", "umask"};

/* What neither libcurl nor gpg ever has a use for. */
static const char *const never[] = {
	"mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
	"mount_setattr", "setns", "unshare", "open_by_handle_at", "name_to_handle_at",
	"ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise",
	"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
	"keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module",
	"kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct", "quotactl", "syslog",
	"iopl", "ioperm", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
	"mknod", "mknodat", "personality", "lookup_dcookie", "nfsservctl", "vhangup", "mbind", "set_mempolicy",
	"migrate_pages", "move_pages", "modify_ldt", "fanotify_init",
};

static int add(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]), r;

		if (nr == __NR_SCMP_ERROR) /* this libseccomp or architecture does not have it */
			continue;
		r = seccomp_rule_add(ctx, action, nr, 0);
		if (r < 0 && r != -EDOM && r != -EEXIST)
			return r;
	}
	return 0;
}

/* Threads, but no processes: clone3(2) keeps its flags in memory, out of a filter's sight. */
static int add_threads(scmp_filter_ctx ctx)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (r < 0)
		return r;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

int jail_seccomp(const struct jail *j, struct err *e)
{
	bool allow = j->filter == JAIL_FILTER_FILES || j->filter == JAIL_FILTER_REPLACE;
	scmp_filter_ctx ctx;
	int r;

	if (JAIL_SANITIZED && allow)
		return 0;
	ctx = seccomp_init(allow ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW);
	if (!ctx)
		return err_set(e, ENOMEM, "seccomp");
	(void) seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (allow)
		r = add(ctx, SCMP_ACT_ALLOW, files_only, ELEMENTSOF(files_only));
	else
		r = add(ctx, SCMP_ACT_ERRNO(EPERM), never, ELEMENTSOF(never));
	if (r == 0 && j->filter == JAIL_FILTER_REPLACE)
		r = add(ctx, SCMP_ACT_ALLOW, replacing, ELEMENTSOF(replacing));
	if (r == 0 && allow)
		r = add_threads(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? err_sysr(e, r, "seccomp") : 0;
}
