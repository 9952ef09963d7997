#include "stage1/seccomp/sets.h"

#include <string.h>

#include "base/str.h"

/*
 * What ordinary programs need.  Left out is what reaches the kernel's wiring (modules, kexec, raw
 * input and output, keyrings, tracing tools), other namespaces, or code that is rarely exercised.
 */
static const char whitelist[] =
	/* files */
	"access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 "
	"fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl "
	"fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 "
	"fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init "
	"inotify_init1 inotify_rm_watch ioctl lchown lchown32 lgetxattr link linkat listxattr llistxattr _llseek "
	"lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat newfstatat open openat openat2 "
	"pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename "
	"renameat renameat2 rmdir sendfile sendfile64 setxattr splice stat stat64 statfs statfs64 statx symlink symlinkat "
	"sync sync_file_range sync_file_range2 arm_sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat "
	"utime utimensat utimensat_time64 utimes vmsplice write writev cachestat "
	/* waiting */
	"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd "
	"eventfd2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select _newselect "
	"io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit "
	/* memory */
	"brk madvise memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap msync munlock "
	"munlockall munmap remap_file_pages membarrier pkey_alloc pkey_free pkey_mprotect process_mrelease map_shadow_stack "
	"mseal "
	/* processes and threads */
	"arch_prctl capget capset clone execve execveat exit exit_group fork futex futex_time64 futex_waitv futex_wake "
	"futex_wait futex_requeue get_robust_list get_thread_area getcpu getegid getegid32 geteuid geteuid32 getgid "
	"getgid32 getgroups getgroups32 getitimer getpgid getpgrp getpid getppid getpriority getresgid getresgid32 "
	"getresuid getresuid32 getrlimit ugetrlimit getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set kill "
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self modify_ldt pause pidfd_open pidfd_send_signal "
	"prctl prlimit64 ptrace process_vm_readv process_vm_writev restart_syscall rseq rt_sigaction rt_sigpending "
	"rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
	"rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
	"sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr "
	"sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address setfsgid "
	"setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid "
	"setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 "
	"sigaltstack signal sigaction sigpending sigprocmask sigreturn sigsuspend signalfd signalfd4 ssetmask sgetmask "
	"tgkill tkill vfork wait4 waitid waitpid nice "
	/* time */
	"adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 "
	"clock_nanosleep clock_nanosleep_time64 gettimeofday nanosleep time timer_create timer_delete timer_getoverrun "
	"timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 "
	"timerfd_settime timerfd_settime64 times "
	/* network and IPC */
	"accept accept4 bind connect getpeername getsockname getsockopt ipc listen mq_getsetattr mq_notify mq_open "
	"mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd "
	"pipe pipe2 recv recvfrom recvmmsg recvmmsg_time64 recvmsg semctl semget semop semtimedop semtimedop_time64 send "
	"sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown socket socketcall socketpair "
	/* the system */
	"getrandom sysinfo uname personality arm_fadvise64_64 breakpoint cacheflush set_tls get_tls";

static const char blacklist[] =
	"acct add_key bpf clock_adjtime clock_settime create_module delete_module fanotify_init finit_module "
	"fsconfig fsmount fsopen fspick get_kernel_syms init_module io_uring_enter io_uring_register io_uring_setup "
	"ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr move_mount "
	"name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open pivot_root quotactl quotactl_fd reboot "
	"request_key setns settimeofday stime swapoff swapon sysfs _sysctl syslog umount umount2 unshare uselib "
	"userfaultfd ustat vhangup vm86 vm86old";

#define SYSTEMD_CLOCK "adjtimex clock_adjtime clock_settime settimeofday stime"
#define SYSTEMD_MOUNT "chroot mount pivot_root umount umount2"
#define SYSTEMD_NETWORK                                                                            \
	"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmsg send "  \
	"sendmmsg sendmsg sendto setsockopt shutdown socket socketcall socketpair"
#define SYSTEMD_OBSOLETE                                                                           \
	"_sysctl afs_syscall break create_module ftime get_kernel_syms getpmsg gtty lock mpx prof profil putpmsg "     \
	"query_module security sgetmask ssetmask stty sysfs tuxcall ulimit uselib ustat vserver"
#define SYSTEMD_RAW_IO "ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write"
#define SYSTEMD_PROCESS "arch_prctl clone execve execveat fork kill prctl setns tgkill tkill unshare vfork"
#define SYSTEMD_PRIVILEGED                                                                         \
	"acct bpf capset chown chown32 chroot delete_module fchown fchown32 fchownat finit_module init_module "        \
	"ioperm iopl kexec_file_load kexec_load lchown lchown32 nfsservctl pivot_root quotactl reboot setdomainname "  \
	"setfsuid setfsuid32 setgroups setgroups32 sethostname setresuid setresuid32 setreuid setreuid32 setuid "      \
	"setuid32 swapoff swapon syslog umount umount2 vhangup adjtimex clock_adjtime clock_settime settimeofday stime"

static const struct {
	const char *name, *calls;
} sets[] = {
	{"@appc.io/empty", ""},
	{"@docker/default-whitelist", whitelist},
	{"@docker/default-blacklist", blacklist},
	{"@rkt/default-whitelist", whitelist},
	{"@rkt/default-blacklist", blacklist},
	{"@systemd/clock", SYSTEMD_CLOCK},
	{"@systemd/default-whitelist", "exit exit_group execve rt_sigreturn sigreturn nanosleep clock_nanosleep pause time "
				       "clock_gettime clock_getres gettimeofday getrlimit brk mmap mmap2 munmap mprotect"},
	{"@systemd/mount", SYSTEMD_MOUNT},
	{"@systemd/network-io", SYSTEMD_NETWORK},
	{"@systemd/obsolete", SYSTEMD_OBSOLETE},
	{"@systemd/privileged", SYSTEMD_PRIVILEGED},
	{"@systemd/process", SYSTEMD_PROCESS},
	{"@systemd/raw-io", SYSTEMD_RAW_IO},
};

static const struct {
	const char *cap, *calls;
} of_caps[] = {
	{"CAP_BPF", "bpf"},
	{"CAP_DAC_READ_SEARCH", "open_by_handle_at name_to_handle_at"},
	{"CAP_PERFMON", "perf_event_open"},
	{"CAP_SYS_ADMIN", "bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount "
			  "name_to_handle_at open_tree perf_event_open pivot_root quotactl quotactl_fd setdomainname "
			  "sethostname setns syslog umount umount2 unshare"},
	{"CAP_SYS_BOOT", "reboot"},
	{"CAP_SYS_CHROOT", "chroot"},
	{"CAP_SYSLOG", "syslog"},
	{"CAP_SYS_MODULE", "delete_module init_module finit_module"},
	{"CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
	{"CAP_SYS_PACCT", "acct"},
	{"CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise"},
	{"CAP_SYS_RAWIO", "iopl ioperm"},
	{"CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"},
	{"CAP_SYS_TTY_CONFIG", "vhangup"},
};

/* Since Linux 5.1 all architectures number new calls alike. */
static const struct {
	const char *name;
	int nr;
} newer[] = {
	{"cachestat", 451},	  {"fchmodat2", 452},	      {"map_shadow_stack", 453}, {"futex_wake", 454},
	{"futex_wait", 455},	  {"futex_requeue", 456},     {"statmount", 457},	 {"listmount", 458},
	{"lsm_get_self_attr", 459}, {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
	{"setxattrat", 463},	  {"getxattrat", 464},	      {"listxattrat", 465},	 {"removexattrat", 466},
	{"open_tree_attr", 467},  {"file_getattr", 468},      {"file_setattr", 469},
};

char **seccomp_set(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(sets); i++)
		if (!strcmp(name, sets[i].name))
			return strv_split(sets[i].calls, ' ');
	return NULL;
}

char **seccomp_calls_of_cap(const char *cap)
{
	for (size_t i = 0; i < ELEMENTSOF(of_caps); i++)
		if (!strcmp(cap, of_caps[i].cap))
			return strv_split(of_caps[i].calls, ' ');
	return NULL;
}

int seccomp_newer_call(const char *name)
{
	for (size_t i = 0; i < ELEMENTSOF(newer); i++)
		if (!strcmp(name, newer[i].name))
			return newer[i].nr;
	return -1;
}
