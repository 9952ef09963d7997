/*
 * What a pod of the default flavour leaves on the host: networks and control groups.  The monitor calls
 * with CNI_NETNS still good; later the namespaces are long gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/uuid.h"
#include "stage1/entry/gc.h"
#include "stage1/net/net.h"
#include "sys/cgroup.h"

#define CGROUP_TIMEOUT_MS 3000

/* The namespace by the monitor's descriptor; empty when it cannot be that any more. */
static const char *netns_path(void)
{
	const char *path = getenv("CNI_NETNS");

	return path && access(path, F_OK) == 0 ? path : "";
}

/* The monitor, who calls with the namespace, has done that already; what it could not, a later gc can. */
static int remove_cgroups(int dir, struct err *e)
{
	_cleanup_free_ char *list = NULL;
	int r;

	if (*netns_path())
		return 0;
	if (faccessat(dir, POD_CGROUP, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	r = file_read_at(dir, POD_CGROUP, POD_CGROUP_MAX, &list, NULL, e);
	if (r == 0)
		r = cg_remove_listed(list, CGROUP_TIMEOUT_MS, e);
	if (r == 0)
		cg_remove_top(list);
	return r;
}

/* Both are tried whatever becomes of the first. */
int gc_collect(const char *uuid, struct err *e)
{
	_cleanup_fd_ int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_err_ struct err second = ERR_INIT;
	int r, r2;

	if (dir < 0)
		return err_sys(e, "open the pod directory");
	if (uuid_check(uuid))
		return err_set(e, EINVAL, "%s is no UUID", q(uuid));
	r = net_down(dir, uuid, netns_path(), e);
	r2 = remove_cgroups(dir, &second);
	if (r == 0 && r2 < 0)
		return err_move(e, &second);
	if (r2 < 0)
		log_error("%s", err_text(&second));
	return r;
}
