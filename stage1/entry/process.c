/*
 * From a number to a process that is known to be the pod's.
 */
#include "stage1/entry/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "spec/uuid.h"

#define PID_TEXT_MAX 64

char *pod_uuid(struct err *e)
{
	char cwd[PATH_MAX];
	const char *name;

	if (!getcwd(cwd, sizeof cwd)) {
		(void) err_sys(e, "working directory");
		return NULL;
	}
	name = path_last(cwd);
	if (uuid_check(name)) {
		(void) err_set(e, EINVAL, "the working directory %s is not a pod's", q(cwd));
		return NULL;
	}
	return xstrdup(name);
}

int pod_process_namespace(int pidfd, pid_t pid, const char *name, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/ns/%s", (int) pid, name);
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (proc_wait_pidfd(pidfd, 0) == 0)
		return err_set(e, ESRCH, "process %d is gone", (int) pid);
	return take_fd(fd);
}

int pod_read_pid(const char *path, pid_t *ret, struct err *e)
{
	/* Where the pod has a user namespace the directory is its root's, and so may be what lies there. */
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : err_sys(e, "open %s", path);
	r = read_all(fd, PID_TEXT_MAX, &text, &len);
	if (r < 0)
		return err_sysr(e, r, "read %s", path);
	text[strcspn(text, "\n")] = '\0';
	return parse_pid(text, ret) < 0 ? err_set(e, EINVAL, "%s: %s is no process id", path, q(text)) : 0;
}
