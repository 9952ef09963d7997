/*
 * filter.c - compile the seccomp program that the floor loads: filter FILE
 * It prints the names of the calls that are allowed, for the configuration of the other runtimes.
 *
 * An allow-list of every call that libseccomp knows but those below, as a binary tree, so that it
 * has the size and the depth of a runtime's default filter. Compiling is outside the clock, since a
 * runtime keeps the compiled program too.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAST_CALL 450

static const char *const denied[] = {
	"acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "create_module",
	"delete_module", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
	"get_kernel_syms", "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load",
	"kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount",
	"nfsservctl", "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root",
	"process_vm_readv", "process_vm_writev", "ptrace", "query_module", "quotactl", "reboot",
	"request_key", "setdomainname", "sethostname", "setns", "settimeofday", "swapoff",
	"swapon", "_sysctl", "sysfs", "syslog", "umount2", "unshare", "uselib", "userfaultfd",
	"ustat", "vhangup",
};

static int is_denied(const char *name)
{
	for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++)
		if (strcmp(name, denied[i]) == 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int fd;

	if (argc != 2 || !ctx || seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		return 2;
	for (int nr = 0; nr < LAST_CALL; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

		if (name && !is_denied(name) && seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0) == 0)
			puts(name);
		free(name);
	}
	fd = open(argv[1], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || seccomp_export_bpf(ctx, fd) < 0) {
		perror(argv[1]);
		return 1;
	}
	close(fd);
	seccomp_release(ctx);
	return 0;
}
