/*
 * What a pod that flies leaves on the host: processes.  What was entered into it nobody has ended,
 * and when its init was killed, neither what the app had put in the background.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "spec/uuid.h"
#include "stage1/entry/gc.h"

#define LOOKS 500
#define LOOK_MS 10
#define MOUNTINFO_MAX (4u << 20)

/*
 * "36 35 98:0 /root-in-its-file-system / rw - type source options" (proc(5)): the mount that is "/"
 * to the process.  That of an app is an overlay whose source is the pod's number, or lies in the
 * pod's directory.
 */
static bool is_root_of(const char *line, const char *uuid)
{
	_cleanup_strv_ char **words = strv_split(line, ' ');
	size_t i = 6;

	if (strv_len(words) < 10 || !str_eq(words[4], "/"))
		return false;
	if (strstr(words[3], uuid))
		return true;
	while (words[i] && !str_eq(words[i], "-"))
		i++;
	return words[i] && words[i + 1] && str_eq(words[i + 2], uuid);
}

/* Most processes are in our own mount namespace, and looked at no further. */
static bool is_pods(const char *pid, const char *uuid, const struct stat *own)
{
	_cleanup_free_ char *ns = xasprintf("/proc/%s/ns/mnt", pid);
	_cleanup_free_ char *path = xasprintf("/proc/%s/mountinfo", pid), *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct stat st;

	if (stat(ns, &st) < 0 || (st.st_dev == own->st_dev && st.st_ino == own->st_ino))
		return false;
	if (file_read_at(AT_FDCWD, path, MOUNTINFO_MAX, &text, NULL, NULL) < 0)
		return false;
	lines = strv_split(text, '\n');
	for (char **l = lines; *l; l++)
		if (is_root_of(*l, uuid))
			return true;
	return false;
}

static void end(pid_t pid, const char *name, const char *uuid, const struct stat *own)
{
	/* First the descriptor: it is the process that is looked at, or one that has ended. */
	_cleanup_fd_ int pidfd = proc_pidfd_open(pid);

	if (pidfd >= 0 && is_pods(name, uuid, own))
		(void) proc_pidfd_kill(pidfd, SIGKILL);
}

/* Signal all of the pod's processes; the number of one of them, 0: there is none. */
static int look(const char *uuid, pid_t *ret, struct err *e)
{
	_cleanup_dir_ DIR *proc = opendir("/proc");
	struct dirent *de;
	struct stat own;
	pid_t pid;

	*ret = 0;
	if (!proc || stat("/proc/self/ns/mnt", &own) < 0)
		return err_sys(e, "look for the pod's processes");
	while ((de = readdir(proc))) {
		if (!isdigit((unsigned char) *de->d_name) || parse_pid(de->d_name, &pid) < 0 ||
		    !is_pods(de->d_name, uuid, &own))
			continue;
		*ret = pid;
		end(pid, de->d_name, uuid, &own);
	}
	return 0;
}

int gc_collect(const char *uuid, struct err *e)
{
	static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	pid_t left = 0;

	if (uuid_check(uuid))
		return err_set(e, EINVAL, "%s is no UUID", q(uuid));
	for (int i = 0; i < LOOKS; i++) {
		int r = look(uuid, &left, e);

		if (r < 0 || !left)
			return r;
		(void) nanosleep(&pause, NULL);
	}
	return err_set(e, EBUSY, "process %d of pod %s does not end", (int) left, uuid);
}
