#include "stage0/service/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"

#define LISTEN_FDS_START 3
#define LISTEN_FDS_MAX 16
#define BACKLOG 128

void service_sockets_close(struct service_sockets *s)
{
	s->public_fd = fd_close(s->public_fd);
	s->registration_fd = fd_close(s->registration_fd);
}

static int take_one(int fd, struct service_sockets *s, struct err *e)
{
	int domain, listens = 0, *where;
	socklen_t len = sizeof domain;

	if (fd_set_cloexec(fd, true) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return err_sys(e, "LISTEN_FDS: descriptor %d", fd);
	len = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || !listens)
		return err_set(e, EINVAL, "LISTEN_FDS: descriptor %d does not listen", fd);
	where = domain == AF_UNIX ? &s->registration_fd : &s->public_fd;
	if (*where >= 0 || (domain != AF_UNIX && domain != AF_INET && domain != AF_INET6))
		return err_set(
			e, EINVAL,
			"LISTEN_FDS: descriptor %d: one unix socket and one of TCP are expected",
			fd);
	*where = fd;
	return 0;
}

int service_sockets_take(struct service_sockets *ret, struct err *e)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t n;
	pid_t who;
	int r = 0;

	*ret = (struct service_sockets) SERVICE_SOCKETS_INIT;
	if (!count || !pid)
		return 0;
	/* They may be for a program that started us. */
	if (parse_pid(pid, &who) < 0 || who != getpid())
		return 0;
	if (parse_u64(count, LISTEN_FDS_MAX, &n) < 0)
		return err_set(e, EINVAL, "LISTEN_FDS: %s", q(count));
	for (int i = 0; i < (int) n && r == 0; i++)
		r = take_one(LISTEN_FDS_START + i, ret, e);
	if (r < 0)
		service_sockets_close(ret);
	return r;
}

static int listen_on(int domain, const void *addr, socklen_t len)
{
	_cleanup_fd_ int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1, no = 0;

	if (fd < 0)
		return -errno;
	if (domain != AF_UNIX)
		(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (domain == AF_INET6)
		(void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
	if (bind(fd, addr, len) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	return take_fd(fd);
}

int service_listen_public(unsigned port, struct err *e)
{
	const struct sockaddr_in6 any6 = {.sin6_family = AF_INET6,
					  .sin6_port = htons((uint16_t) port),
					  .sin6_addr = in6addr_any};
	const struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
	int fd = listen_on(AF_INET6, &any6, sizeof any6);

	/* A kernel without IPv6. */
	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		fd = listen_on(AF_INET, &any4, sizeof any4);
	return fd < 0 ? err_sysr(e, fd, "listen on port %u", port) : fd;
}

int service_listen_registration(int run_dir, const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	mode_t before;
	int fd;

	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ENAMETOOLONG, "%s", path);
	memcpy(a.sun_path, path, strlen(path));
	if (unlinkat(run_dir, strrchr(path, '/') + 1, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", path);
	before = umask(0177);
	fd = listen_on(AF_UNIX, &a, sizeof a);
	(void) umask(before);
	return fd < 0 ? err_sysr(e, fd, "listen on %s", path) : fd;
}
