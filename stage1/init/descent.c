/*
 * The pod's processes where they are among the host's (flavour fly).  We are their reaper: whoever
 * loses its parent becomes our child, so nothing that an app started gets away, and no control
 * group is needed to find it.  We look into the procfs of our own small root, and allocate nothing.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "stage1/init/init.h"

#define LOOKS 500
#define LOOK_MS 10

static DIR *proc;

int descent_begin(struct err *e)
{
	/* The caller's death is seen by a pipe, and must leave us the time to end the others. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || prctl(PR_SET_PDEATHSIG, 0) < 0)
		return err_sys(e, "prctl");
	proc = opendir("/proc");
	return proc ? 0 : err_sys(e, "open /proc");
}

/* proc(5): "PID (NAME) STATE PPID ...", where NAME may be anything. */
static bool is_child(const char *pid)
{
	char path[32], text[512], *p;
	_cleanup_fd_ int fd = -EBADF;
	ssize_t n;

	(void) snprintf(path, sizeof path, "%.10s/stat", pid);
	fd = openat(dirfd(proc), path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, ')');
	return p && strlen(p) > 4 && strtol(p + 4, NULL, 10) == getpid();
}

void descent_kill(void)
{
	struct dirent *de;
	pid_t pid;

	rewinddir(proc);
	while ((de = readdir(proc)))
		if (isdigit((unsigned char) *de->d_name) && is_child(de->d_name) &&
		    parse_pid(de->d_name, &pid) == 0)
			(void) kill(pid, SIGKILL);
}

void descent_end(void)
{
	static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

	for (int i = 0; i < LOOKS; i++) {
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		descent_kill();
		(void) nanosleep(&pause, NULL);
	}
}
