/*
 * The socket on which an app says that it is ready (sd_notify(3)). Made in the pod directory, from
 * where it is mounted into the app; init listens.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "stage1/run/sandbox.h"

static int make_socket(struct sandbox *sb, const char *path, struct err *e)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	/* Relative to the working directory, which is the pod's: the name must be short. */
	(void) snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	/* Of the run before, when the pod is restarted. */
	(void) unlinkat(sb->pod, path, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *) &addr, sizeof addr) < 0)
		return err_sys(e, "make socket %s", path);
	/* Whatever user the app has. */
	if (fchmodat(sb->pod, path, 0666, 0) < 0)
		return err_sys(e, "mode of %s", path);
	return take_fd(fd);
}

int sandbox_notify(struct sandbox *sb, struct err *e)
{
	for (size_t i = 0; i < sb->plan->n_apps; i++) {
		const char *path = sb->plan->apps[i].notify;

		if (!path)
			continue;
		sb->apps[i].notify = make_socket(sb, path, e);
		if (sb->apps[i].notify < 0)
			return err_ctx(e, sb->apps[i].notify, "app %s", sb->plan->apps[i].name);
	}
	return 0;
}
