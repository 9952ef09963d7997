/*
 * After the pod: its mounts, namespaces and links are gone with its last process.  What is left on
 * the host stands in the pod directory: control groups, and what CNI plugins did.  Failures are
 * told, not returned: the pod's own status is what our caller asked for, and `gantry gc` tries
 * again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "contract/layout.h"
#include "stage1/monitor/monitor.h"
#include "sys/cgroup.h"

#define CGROUP_TIMEOUT_MS 3000

static void remove_cgroups(struct monitor *m)
{
	_cleanup_err_ struct err e = ERR_INIT;
	_cleanup_free_ char *list = NULL;
	int r = file_read_at(m->dir, POD_CGROUP, POD_CGROUP_MAX, &list, NULL, &e);

	if (r == 0)
		r = cg_remove_listed(list, CGROUP_TIMEOUT_MS, &e);
	if (r < 0 && r != -ENOENT)
		log_warning("%s", err_text(&e));
}

static bool has_networks(struct monitor *m)
{
	int fd = openat(m->dir, POD_NET, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	while (d && (de = readdir(d)))
		if (*de->d_name != '.')
			return true;
	return false;
}

/* Without control groups (flavour fly), what is left of the pod's processes is looked for by gc. */
static bool has_groups(struct monitor *m)
{
	return faccessat(m->dir, POD_CGROUP, F_OK, 0) == 0;
}

/* The gc program beside us: we were executed from the host's file system. */
static char *gc_path(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *name;

	if (n < 0)
		return NULL;
	self[n] = '\0';
	name = path_last(self);
	return xasprintf("%.*sgc", (int) (name - self), self);
}

/* The plugins' DEL: the namespace is alive through our descriptor, for as long as that takes. */
static void run_gc(struct monitor *m)
{
	_cleanup_free_ char *path = gc_path();
	_cleanup_err_ struct err e = ERR_INIT;
	char netns[64];
	char *const env[] = {
		netns,
		(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		NULL};
	_cleanup_strv_ char **argv = NULL;
	struct spawn sp = SPAWN_INIT;
	int st;

	(void) snprintf(netns, sizeof netns, "CNI_NETNS=/proc/%d/fd/%d", (int) getpid(), m->netns);
	argv = strv_copy((char *const[]) {(char[]) {"gc"}, NULL});
	for (char *const *a = m->args; *a; a++)
		strv_add(&argv, *a);
	sp.path = path;
	sp.argv = argv;
	sp.env = m->netns >= 0 ? env : env + 1;
	sp.cwd_fd = m->dir;
	/* Without us nobody holds the lock: another gc may be next. */
	sp.die_with_parent = true;
	st = path ? proc_spawn(&sp, NULL, &e) : -ENOENT;
	if (st > 0)
		st = proc_wait((pid_t) st);
	if (st < 0)
		log_warning("what the pod has left could not be undone: %s", err_text(&e));
	else if (st)
		log_warning("what the pod has left could not all be undone");
}

void teardown(struct monitor *m)
{
	remove_cgroups(m);
	if (has_networks(m) || !has_groups(m))
		run_gc(m);
}
