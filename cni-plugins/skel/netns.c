#include "cni-plugins/skel/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cni-plugins/skel/args.h"
#include "cni-plugins/skel/code.h"

void netns_close(struct netns *ns)
{
	ns->fd = fd_close(ns->fd);
	ns->self = fd_close(ns->self);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static bool may_be_own(void)
{
	const char *v = getenv("CNI_NETNS_OVERRIDE");

	return v && (!strcmp(v, "1") || !strcasecmp(v, "true"));
}

/* -ENOENT: there is no namespace at that path (any more). */
static int try_open(const struct cni_request *rq, struct netns *ns, struct err *e)
{
	ns->fd = open(rq->netns, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (ns->fd < 0 || ioctl(ns->fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		int code = ns->fd < 0 ? errno : EINVAL;

		ns->fd = fd_close(ns->fd);
		(void) err_set(e, CNI_CODE(CNI_BAD_NETNS), "failed to open netns %s: %s",
			       q(rq->netns),
			       code == EINVAL ? "not a network namespace" : strerror(code));
		return -ENOENT;
	}
	ns->self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ns->self < 0)
		return err_sys(e, "open /proc/self/ns/net");
	if (same_file(ns->fd, ns->self) && !may_be_own())
		return err_set(e, CNI_CODE(CNI_BAD_NETNS),
			       "plugin's netns and netns from CNI_NETNS should not be the same");
	return 0;
}

int netns_open(const struct cni_request *rq, struct netns *ns, struct err *e)
{
	int r = try_open(rq, ns, e);

	return r == -ENOENT ? -CNI_CODE(CNI_BAD_NETNS) : r;
}

int netns_open_for_del(const struct cni_request *rq, struct netns *ns, struct err *e)
{
	int r;

	if (!*rq->netns || cni_args_flag(rq->args, "NetnsEnding"))
		return 0;
	r = try_open(rq, ns, e);
	if (r == -ENOENT) {
		err_done(e);
		return 0;
	}
	return r < 0 ? r : 1;
}

int netns_enter(const struct netns *ns, struct err *e)
{
	return setns(ns->fd, CLONE_NEWNET) < 0
		       ? err_sys(e, "enter the container's network namespace")
		       : 0;
}

void netns_leave(const struct netns *ns)
{
	if (setns(ns->self, CLONE_NEWNET) < 0)
		abort();
}

int netns_socket(const struct netns *ns, struct nl *nl, struct err *e)
{
	int r = netns_enter(ns, e);

	if (r < 0)
		return r;
	r = nl_open(nl, NETLINK_ROUTE, e);
	netns_leave(ns);
	return r;
}

bool netns_is_same(const char *a, const char *b)
{
	struct stat x, y;

	if (!strcmp(a, b))
		return true;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
