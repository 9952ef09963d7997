/*
 * What probe tries: calls that a confined app must not get through with, and plain file operations.
 * Each attempt of `try` runs in a child of its own, since a seccomp filter may answer with SIGSYS and
 * since what succeeds must not change the next attempt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* Numbers that older musl headers lack; the same on every 64-bit architecture since 5.1. */
#define NR_FSOPEN 430
#define NR_CLONE3 435
#define NR_MOUNT_SETATTR 442
#define NR_NEVER_ASSIGNED 9999

#define NEWUSER 0x10000000
#define ADDRESS_FAMILY_ALG 38
#define ADDRESS_FAMILY_VSOCK 40

static long try_mknod(void)
{
	return mknod("/tmp/probe-node", S_IFCHR | 0600, makedev(1, 3));
}

static long try_unshare_user(void)
{
	return unshare(NEWUSER);
}

static long try_unshare_mnt(void)
{
	return unshare(CLONE_NEWNS);
}

static long try_clone_user(void)
{
	long pid = syscall(SYS_clone, NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (!pid)
		_exit(0);
	return pid;
}

static long try_clone3(void)
{
	return syscall(NR_CLONE3, NULL, 0);
}

static long try_setns(void)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fd : setns(fd, 0);
}

static long try_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long try_umount(void)
{
	return umount2("/proc", MNT_DETACH);
}

static long try_remount_sys(void)
{
	return mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
}

static long try_pivot_root(void)
{
	return syscall(SYS_pivot_root, "/", "/");
}

static long try_chroot(void)
{
	return chroot("/");
}

static long try_ptrace_init(void)
{
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static long try_keyctl(void)
{
	return syscall(SYS_keyctl, 0, -3, 0, 0, 0);
}

static long try_add_key(void)
{
	return syscall(SYS_add_key, "user", "probe", "x", 1, -3);
}

static long try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long try_perf(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static long try_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, 0);
}

static long try_kexec(void)
{
	return syscall(SYS_kexec_load, 0, 0, NULL, 0);
}

static long try_module(void)
{
	return syscall(SYS_init_module, NULL, 0, "");
}

static long try_swapon(void)
{
	return syscall(SYS_swapon, "/nowhere", 0);
}

static long try_handle(void)
{
	return syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0);
}

static long try_reboot(void)
{
	/* wrong magic: reboot(2) says EINVAL to root with the right, EPERM without */
	return syscall(SYS_reboot, 0, 0, 0, NULL);
}

static long try_settime(void)
{
	return syscall(SYS_settimeofday, NULL, NULL);
}

static long try_sethostname(void)
{
	return sethostname("probe", 5);
}

static long try_fsopen(void)
{
	return syscall(NR_FSOPEN, "tmpfs", 0);
}

static long try_mount_setattr(void)
{
	return syscall(NR_MOUNT_SETATTR, AT_FDCWD, "/nowhere", 0, NULL, 0);
}

static long try_vsock(void)
{
	return socket(ADDRESS_FAMILY_VSOCK, SOCK_STREAM, 0);
}

static long try_alg(void)
{
	return socket(ADDRESS_FAMILY_ALG, SOCK_SEQPACKET, 0);
}

static long try_raw(void)
{
	return socket(AF_INET, SOCK_RAW, 1);
}

static long try_tiocsti(void)
{
	char c = 'x';

	/* without a terminal an allowed call is ENOTTY, a filtered one EPERM */
	return ioctl(0, TIOCSTI, &c);
}

static long try_personality(void)
{
	return personality(0x0040000); /* ADDR_NO_RANDOMIZE */
}

static long try_unknown(void)
{
	return syscall(NR_NEVER_ASSIGNED);
}

static long try_getpid(void)
{
	return syscall(SYS_getpid);
}

static long try_mkdir(void)
{
	return mkdir("/tmp/probe-dir", 0755);
}

static long try_chown(void)
{
	int fd = open("/tmp/probe-owned", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? fd : fchown(fd, 12, 34);
}

static long try_setuid(void)
{
	return syscall(SYS_setresuid, 4321, 4321, 4321);
}

static const struct {
	const char *name;
	long (*call)(void);
} attempts[] = {
	{ "mknod", try_mknod },		      { "unshare-user", try_unshare_user },
	{ "unshare-mnt", try_unshare_mnt },   { "clone-user", try_clone_user },
	{ "clone3", try_clone3 },	      { "setns", try_setns },
	{ "mount", try_mount },		      { "umount", try_umount },
	{ "remount-sys", try_remount_sys },   { "pivot-root", try_pivot_root },
	{ "chroot", try_chroot },	      { "ptrace-init", try_ptrace_init },
	{ "keyctl", try_keyctl },	      { "add-key", try_add_key },
	{ "bpf", try_bpf },		      { "perf", try_perf },
	{ "userfaultfd", try_userfaultfd },   { "kexec", try_kexec },
	{ "module", try_module },	      { "swapon", try_swapon },
	{ "handle", try_handle },	      { "reboot", try_reboot },
	{ "settime", try_settime },	      { "sethostname", try_sethostname },
	{ "fsopen", try_fsopen },	      { "mount-setattr", try_mount_setattr },
	{ "vsock", try_vsock },		      { "alg", try_alg },
	{ "raw", try_raw },		      { "tiocsti", try_tiocsti },
	{ "personality", try_personality },   { "unknown", try_unknown },
	{ "getpid", try_getpid },	      { "mkdir", try_mkdir },
	{ "chown", try_chown },		      { "setuid", try_setuid },
};

/* The child's verdict travels as its exit status: 0 or the errno; a signal is reported by number. */
static void attempt(const char *name, long (*call)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		report(name, -1, errno);
		return;
	}
	if (!pid)
		_exit(call() < 0 ? errno : 0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		printf("%s=%s\n", name, WTERMSIG(status) == SIGSYS ? "SIGSYS" : "signal");
	else
		report(name, WEXITSTATUS(status) ? -1 : 0, WEXITSTATUS(status));
}

static int try_calls(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		size_t k = 0, n = sizeof(attempts) / sizeof(*attempts);

		while (k < n && strcmp(attempts[k].name, argv[i]))
			k++;
		if (k == n) {
			fprintf(stderr, "probe: try %s: no such attempt\n", argv[i]);
			return 125;
		}
		attempt(attempts[k].name, attempts[k].call);
	}
	return 0;
}

static int open_flags(const char *mode)
{
	if (!strcmp(mode, "r"))
		return O_RDONLY;
	if (!strcmp(mode, "w"))
		return O_WRONLY;
	return O_RDWR;
}

static int file_open(int argc, char **argv)
{
	char key[4352];

	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], open_flags(argv[0]) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

		snprintf(key, sizeof(key), "open %s %s", argv[0], argv[i]);
		report(key, fd, errno);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int write_flags(const char *path, const char *text, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0644);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	if (n < 0) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	close(fd);
	return 0;
}

static int file_write(int argc, char **argv)
{
	char key[4352];
	int rc = write_flags(argv[0], argc > 1 ? argv[1] : "", O_CREAT | O_TRUNC | O_WRONLY);

	snprintf(key, sizeof(key), "write %s", argv[0]);
	return report(key, rc, errno);
}

/* For files of the kernel: no O_CREAT and no O_TRUNC, which some of them refuse. */
static int file_poke(int argc, char **argv)
{
	char key[4352];
	int rc = write_flags(argv[0], argc > 1 ? argv[1] : "", O_WRONLY);

	snprintf(key, sizeof(key), "poke %s", argv[0]);
	return report(key, rc, errno);
}

static int file_mkdir(int argc, char **argv)
{
	char key[4352];
	int rc;

	(void)argc;
	snprintf(key, sizeof(key), "mkdir %s", argv[0]);
	rc = mkdir(argv[0], 0755);
	return report(key, rc, errno);
}

static int file_unlink(int argc, char **argv)
{
	char key[4352];
	int rc;

	(void)argc;
	snprintf(key, sizeof(key), "unlink %s", argv[0]);
	rc = unlink(argv[0]);
	return report(key, rc, errno);
}

/* Make a device node and open it: mknod is allowed by default, the device cgroup must say no. */
static int file_device(int argc, char **argv)
{
	static const char node[] = "/tmp/probe-device";
	unsigned int maj = (unsigned int)parse_number(argv[1], 0, 4095);
	unsigned int min = (unsigned int)parse_number(argv[2], 0, 1048575);
	mode_t type = argv[0][0] == 'b' ? S_IFBLK : S_IFCHR;
	char key[128];
	int fd;

	(void)argc;
	snprintf(key, sizeof(key), "device %s %u:%u", argv[0], maj, min);
	(void)unlink(node);
	if (mknod(node, type | 0600, makedev(maj, min)) < 0) {
		printf("%s=mknod %s\n", key, errno_name(errno));
		return 0;
	}
	fd = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	printf("%s=open %s\n", key, fd < 0 ? errno_name(errno) : "ok");
	if (fd >= 0)
		close(fd);
	(void)unlink(node);
	return 0;
}

/*
 * The classic double chroot (CVE class of rkt before 1.7): make a directory, chroot into it with the
 * working directory left outside, climb with .., chroot there.  Prints what then stands at the top.
 */
static int escape_chroot(int argc, char **argv)
{
	(void)argc, (void)argv;
	(void)mkdir("/tmp/jail", 0755);
	if (chdir("/") < 0 || chroot("/tmp/jail") < 0)
		return report("escape-chroot", -1, errno);
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			break;
	if (chroot(".") < 0)
		return report("escape-chroot", -1, errno);
	printf("escape-chroot=%s\n", access("/probe", F_OK) ? "outside" : "own-root");
	return 0;
}

static int send_signal(int argc, char **argv)
{
	char key[64];
	pid_t pid = (pid_t)parse_number(argv[0], -1, 1 << 22);
	int sig = (int)parse_number(argv[1], 0, 64), rc;

	(void)argc;
	snprintf(key, sizeof(key), "kill %d %d", pid, sig);
	rc = kill(pid, sig);
	return report(key, rc, errno);
}

const struct command try_commands[] = {
	{ "try", 1, try_calls, "CALL...: mknod, unshare-user, ptrace-init, ..." },
	{ "open", 2, file_open, "r|w|rw PATH..." },
	{ "write", 1, file_write, "PATH [TEXT]: create or truncate, and write" },
	{ "poke", 1, file_poke, "PATH [TEXT]: write to what exists" },
	{ "mkdir", 1, file_mkdir, "PATH" },
	{ "unlink", 1, file_unlink, "PATH" },
	{ "device", 3, file_device, "b|c MAJOR MINOR: make a node and open it" },
	{ "escape", 0, escape_chroot, "double chroot" },
	{ "kill", 2, send_signal, "PID SIGNAL" },
	{ NULL, 0, NULL, NULL },
};
