/*
 * The pod's processes without control groups.  init is the one that has the pod's directory open,
 * which it does until its end; the app's main process is a child of init.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/entry/process.h"

#define STAT_MAX 4096

/* Whether it has our working directory, the pod's, open. */
static bool has_pod_open(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/fd", (int) pid);
	_cleanup_dir_ DIR *d = opendir(path);
	struct stat pod, st;
	struct dirent *de;

	if (!d || stat(".", &pod) < 0)
		return false;
	while ((de = readdir(d)))
		if (*de->d_name != '.' && fstatat(dirfd(d), de->d_name, &st, 0) == 0 &&
		    st.st_dev == pod.st_dev && st.st_ino == pod.st_ino)
			return true;
	return false;
}

/* proc(5): "PID (NAME) STATE PPID ...", where NAME may be anything. */
static pid_t parent_of(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int) pid), *text = NULL;
	const char *p;

	if (file_read_at(AT_FDCWD, path, STAT_MAX, &text, NULL, NULL) < 0)
		return -1;
	p = strrchr(text, ')');
	return p && strlen(p) > 4 ? (pid_t) strtol(p + 4, NULL, 10) : -1;
}

static bool is_pods(pid_t pid, const char *leaf)
{
	pid_t init;

	if (str_eq(leaf, POD_INIT_LEAF))
		return has_pod_open(pid);
	return pod_read_pid(POD_PID, &init, NULL) == 0 && has_pod_open(init) &&
	       parent_of(pid) == init;
}

int pod_process_open(pid_t pid, const char *uuid, const char *leaf, struct err *e)
{
	/*
	 * First the descriptor: what is read afterwards is then of this process, or it has ended.
	 */
	_cleanup_fd_ int pidfd = proc_pidfd_open(pid);

	if (pidfd == -ESRCH)
		return err_set(e, ESRCH, "process %d is gone", (int) pid);
	if (pidfd < 0)
		return err_sysr(e, pidfd, "open process %d", (int) pid);
	if (!is_pods(pid, leaf) || proc_wait_pidfd(pidfd, 0) == 0)
		return err_set(e, ESRCH, "process %d is not of pod %s any more", (int) pid, uuid);
	return take_fd(pidfd);
}

/* It stays in the group of whoever started it. */
int pod_open_group(_unused_ const char *uuid, _unused_ const char *app,
		   _unused_ struct cg_leaf *ret, _unused_ struct err *e)
{
	return 0;
}
