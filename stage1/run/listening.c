#include "stage1/run/listening.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.h"

/* What the kernel says of it; the names that the service manager gave are its own business. */
static struct listening look(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_storage room;
	} addr = {0};
	socklen_t len = sizeof addr, type_len = sizeof(int);
	struct listening l = {.fd = fd};
	int type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0 ||
	    getsockname(fd, &addr.any, &len) < 0)
		return l;
	l.udp = type == SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return l;
	if (addr.any.sa_family == AF_INET)
		l.port = ntohs(addr.four.sin_port);
	else if (addr.any.sa_family == AF_INET6)
		l.port = ntohs(addr.six.sin6_port);
	return l;
}

int listening_take(struct listening_list *ret, struct err *e)
{
	ret->n = 0;
	for (unsigned i = 0;; i++) {
		int fd = fds_take_n("listen", i);

		if (fd < 0)
			return 0;
		if (ret->n == LISTENING_MAX)
			return err_set(e, E2BIG, "more than %d sockets to listen on",
				       LISTENING_MAX);
		ret->v[ret->n++] = look(fd);
	}
}
