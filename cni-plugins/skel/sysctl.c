#include "cni-plugins/skel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/mem.h"
#include "sys/mountapi.h"

#define PROC "/proc/"

/* path: absolute, or below the descriptor. */
static int set(int dir, const char *path, const char *value, struct err *e)
{
	_cleanup_free_ char *now = NULL;
	int r = file_poke_at(dir, path, value);

	if (r == 0 || r == -ENOENT)
		return 0;
	if (file_read_line_at(dir, path, &now, NULL) >= 0 && !strcmp(now, value))
		return 0;
	return err_sysr(e, r, "set %s%s to %s", *path == '/' ? "" : PROC, path, value);
}

static int set_link(int proc, const char *family, const char *link, const char *key,
		    const char *value, struct err *e)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof path, "%ssys/net/%s/conf/%s/%s", proc == AT_FDCWD ? PROC : "",
			family, link, key);
	return set(proc, path, value, e);
}

int sysctl_link(const char *family, const char *link, const char *key, const char *value,
		struct err *e)
{
	return set_link(AT_FDCWD, family, link, key, value, e);
}

int sysctl_proc_inside(void)
{
	static int proc = -EBADF;

	if (proc < 0)
		proc = mnt_new("proc", NULL, MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC, NULL);
	/* Not in every user namespace may one be mounted. */
	if (proc < 0)
		proc = open(PROC, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return proc;
}

int sysctl_link_inside(const char *family, const char *link, const char *key, const char *value,
		       struct err *e)
{
	return set_link(sysctl_proc_inside(), family, link, key, value, e);
}

int sysctl_host_link(const char *link, struct err *e)
{
	int r = sysctl_link("ipv6", link, "accept_ra", "0", e);

	return r < 0 ? r : sysctl_link("ipv6", link, "accept_dad", "0", e);
}

int sysctl_port(const char *link, struct err *e)
{
	int r = sysctl_link("ipv6", link, "accept_ra", "0", e);

	return r < 0 ? r : sysctl_link("ipv6", link, "disable_ipv6", "1", e);
}

int sysctl_forward(int family, struct err *e)
{
	return set(AT_FDCWD,
		   family == AF_INET ? PROC "sys/net/ipv4/ip_forward"
				     : PROC "sys/net/ipv6/conf/all/forwarding",
		   "1", e);
}
