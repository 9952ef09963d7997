/*
 * The service manager that has started us with Type=notify (sd_notify(3)): it believes what its
 * main process says, and that is us.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/monitor/monitor.h"

void notify_manager(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	_cleanup_fd_ int fd = -EBADF;

	/*
	 * A path, or the name of an abstract socket; other families are those of virtual machines.
	 */
	if (len < 2 || len >= sizeof addr.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Nobody to tell when it does not listen. */
	if (fd >= 0)
		(void) sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
			      (struct sockaddr *) &addr,
			      (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len));
}
