#include "cni-plugins/skel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/mem.h"

static int set(const char *path, const char *value, struct err *e)
{
	_cleanup_free_ char *now = NULL;
	int r = file_poke_at(AT_FDCWD, path, value);

	if (r == 0 || r == -ENOENT)
		return 0;
	if (file_read_line_at(AT_FDCWD, path, &now, NULL) >= 0 && !strcmp(now, value))
		return 0;
	return err_sysr(e, r, "set %s to %s", path, value);
}

int sysctl_link(const char *family, const char *link, const char *key, const char *value,
		struct err *e)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", family, link, key);
	return set(path, value, e);
}

int sysctl_host_link(const char *link, struct err *e)
{
	int r = sysctl_link("ipv6", link, "accept_ra", "0", e);

	return r < 0 ? r : sysctl_link("ipv6", link, "accept_dad", "0", e);
}

int sysctl_forward(int family, struct err *e)
{
	return set(family == AF_INET ? "/proc/sys/net/ipv4/ip_forward"
				     : "/proc/sys/net/ipv6/conf/all/forwarding",
		   "1", e);
}
