/*
 * The pod's processes by their control groups.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/entry/process.h"

#define CGROUP_FILE_MAX 65536

/* A line of /proc/PID/cgroup: "4:memory:/some/where/gantry/UUID/LEAF". */
static bool is_in_group(char *text, const char *suffix)
{
	_cleanup_strv_ char **lines = strv_split(text, '\n');

	for (char **l = lines; *l; l++)
		if (str_ends(*l, suffix))
			return true;
	return false;
}

int pod_process_open(pid_t pid, const char *uuid, const char *leaf, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/cgroup", (int) pid), *text = NULL;
	_cleanup_free_ char *suffix = xasprintf("/gantry/%s/%s", uuid, pod_leaf(leaf));
	/* First the descriptor: what is read afterwards is then of this process, or it has ended. */
	_cleanup_fd_ int pidfd = proc_pidfd_open(pid);
	int r;

	if (pidfd == -ESRCH)
		return err_set(e, ESRCH, "process %d is gone", (int) pid);
	if (pidfd < 0)
		return err_sysr(e, pidfd, "open process %d", (int) pid);
	r = file_read_at(AT_FDCWD, path, CGROUP_FILE_MAX, &text, NULL, e);
	if (r < 0)
		return r == -ENOENT ? err_set(e, ESRCH, "process %d is gone", (int) pid) : r;
	if (proc_wait_pidfd(pidfd, 0) == 0 || !is_in_group(text, suffix))
		return err_set(e, ESRCH, "process %d is not of pod %s any more", (int) pid, uuid);
	return take_fd(pidfd);
}

int pod_open_group(const char *uuid, const char *app, struct cg_leaf *ret, struct err *e)
{
	_cleanup_free_ char *group = xasprintf("gantry/%s/%s", uuid, pod_leaf(app));
	struct cg_host *host = cg_host_detect(e);
	int r;

	if (!host)
		return -EINVAL;
	r = cg_host_restrict_to(host, group, e);
	if (r == 0)
		r = cg_open_leaf(host, group, ret, e);
	cg_host_free(host);
	return r;
}
