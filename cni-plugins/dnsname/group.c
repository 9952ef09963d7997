#include "cni-plugins/dnsname/group.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "sys/cgroup.h"

#define GROUP "gantry-dnsname"
#define REMOVE_MS 1000
#define ENTER_TRIES 3

/* proc_pid_mountinfo(5): "36 35 98:0 /root /mount options ... - type source superoptions". */
static char *cgroup_mount(char *line)
{
	const char *dash = strstr(line, " - ");
	_cleanup_strv_ char **words = NULL;

	/* Most lines are of no interest; a host may have thousands. */
	if (!dash || (!str_starts(dash + 3, "cgroup ") && !str_starts(dash + 3, "cgroup2 ")))
		return NULL;
	words = strv_split(line, ' ');
	/* A part of a hierarchy that is mounted elsewhere again has no place for a group of ours. */
	return strv_len(words) > 5 && !strcmp(words[3], "/") ? xstrdup(words[4]) : NULL;
}

/* Where every hierarchy of this host is mounted; strv. */
static char **hierarchies(void)
{
	_cleanup_file_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	char **mounts = NULL;
	size_t alloc = 0;

	while (f && getline(&line, &alloc, f) > 0) {
		char *mount = cgroup_mount(line);

		if (mount)
			strv_push(&mounts, mount);
	}
	return mounts;
}

static int join(int hierarchy, const char *procs, pid_t pid)
{
	_cleanup_free_ char *text = xasprintf("%d", (int) pid);

	return file_poke_at(hierarchy, procs, text);
}

/* A new group of v1's cpuset has no processors, and takes nobody. */
static bool enter(int hierarchy, pid_t pid)
{
	bool there = false;

	/* The last server of another network may take the group away in between. */
	for (int i = 0; i < ENTER_TRIES && !there; i++)
		there = (mkdirat(hierarchy, GROUP, 0755) == 0 || faccessat(hierarchy, GROUP, F_OK, 0) == 0) &&
			join(hierarchy, GROUP "/cgroup.procs", pid) == 0;
	return there;
}

void server_group_enter(pid_t pid)
{
	_cleanup_strv_ char **mounts = hierarchies();

	for (char **m = mounts; m && *m; m++) {
		_cleanup_fd_ int fd = open(*m, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 || enter(fd, pid))
			continue;
		(void) unlinkat(fd, GROUP, AT_REMOVEDIR);
		(void) join(fd, "cgroup.procs", pid);
	}
}

void server_group_remove(void)
{
	_cleanup_strv_ char **mounts = hierarchies();
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;

	for (char **m = mounts; m && *m; m++)
		strbuf_addf(&list, "%s/" GROUP "\n", *m);
	if (list.len)
		(void) cg_remove_listed(list.buf, REMOVE_MS, NULL);
}
