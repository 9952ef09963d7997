/*
 * Child processes: spawn with descriptors by name, wait with a deadline, report what became of them.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/fd.h"

struct spawn {
	const char *path;	   /* program; resolved by the caller */
	int path_fd;		   /* >= 0: execute this descriptor instead */
	char *const *argv;
	char *const *env;	   /* NULL: empty environment */
	int in, out, err;	   /* become 0, 1, 2; -EBADF: /dev/null for 0, inherited for 1 and 2 */
	const struct fd_name *fds; /* announced as in exec_fds() */
	size_t n_fds;
	int cwd_fd;		   /* >= 0: fchdir(2) first */
	bool die_with_parent;	   /* PR_SET_PDEATHSIG = KILL */
	bool own_group;		   /* setpgid(0, 0), so that proc_kill_group() reaches its children */
};
#define SPAWN_INIT {.path_fd = -EBADF, .in = -EBADF, .out = -EBADF, .err = -EBADF, .cwd_fd = -EBADF}

/* Start it; returns the pid and, when ret_pidfd is not NULL, a pidfd. A failing exec is an error here. */
pid_t proc_spawn(const struct spawn *sp, int *ret_pidfd, struct err *e);
/* waitpid(2) restarted; the wait status. */
int proc_wait(pid_t pid);
/* Wait at most timeout_ms (-1: for ever) on the pidfd; returns 0 when it ended, -ETIMEDOUT. */
int proc_wait_pidfd(int pidfd, int timeout_ms);
/* A shell-like number for a wait status: exit status, or 128 + signal. */
int proc_status(int wstatus);
/* "exited with status 3" / "was killed by signal 9 (Killed)"; owned by the caller. */
char *proc_describe(int wstatus);
int proc_pidfd_open(pid_t pid);
int proc_pidfd_kill(int pidfd, int sig);
/*
 * Spawn, feed `input` to its standard input, collect at most out_limit bytes of standard output (and
 * err_limit of standard error), all within timeout_ms; past a limit or the deadline its process group
 * is killed and the answer is -EFBIG or -ETIMEDOUT.  Returns the wait status.
 */
struct proc_io {
	const char *input;
	size_t input_len;
	size_t out_limit, err_limit;
	int timeout_ms;
	char *out, *err; /* results, NUL-terminated, owned by the caller; err is cut at its limit */
	size_t out_len, err_len;
};
int proc_run(struct spawn *sp, struct proc_io *io, struct err *e);
