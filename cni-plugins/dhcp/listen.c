/* The socket that the daemon listens on: handed over by the service manager, or its own. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/parse.h"
#include "base/path.h"
#include "cni-plugins/dhcp/internal.h"

#define LISTEN_FDS_START 3 /* sd_listen_fds(3) */
#define BACKLOG 128

/* 1: *ret is it, 0: none was handed over. */
static int handed_over(int *ret, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int type = 0, listening = 0;
	socklen_t len = sizeof type;
	uint64_t n;
	pid_t p;

	if (!pid || !fds || parse_pid(pid, &p) < 0 || p != getpid() ||
	    parse_u64(fds, 1024, &n) < 0 || n == 0)
		return 0;
	if (n > 1)
		return err_set(e, EINVAL, "too many sockets (%llu) passed by socket activation",
			       (unsigned long long) n);
	if (getsockopt(LISTEN_FDS_START, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    getsockopt(LISTEN_FDS_START, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 ||
	    type != SOCK_STREAM || !listening)
		return err_set(e, EINVAL, "socket activation: descriptor 3 is no listening stream socket");
	if (fd_set_cloexec(LISTEN_FDS_START, true) < 0 || fd_set_nonblock(LISTEN_FDS_START) < 0)
		return err_sys(e, "socket activation: descriptor 3");
	*ret = LISTEN_FDS_START;
	return 1;
}

static int make_parent(const char *path, struct err *e)
{
	_cleanup_free_ char *dir = xstrndup(path, (size_t) (path_last(path) - path));

	return *dir ? path_mkdirs(dir, 0700, e) : 0;
}

/* We hold the lock of the leases: a socket that is there is of a daemon that has died. */
static int bind_own(struct dhcp_daemon *d, const char *path, struct err *e)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	mode_t before;
	int r = make_parent(path, e);

	if (r < 0)
		return r;
	if (strlen(path) >= sizeof sun.sun_path)
		return err_set(e, ENAMETOOLONG, "%s is too long for a socket", path);
	memcpy(sun.sun_path, path, strlen(path));
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && unlink(path) < 0)
		return err_sys(e, "remove %s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	before = umask(0077);
	r = fd < 0 || bind(fd, (struct sockaddr *) &sun, sizeof sun) < 0 ? -errno : 0;
	(void) umask(before);
	if (r < 0 || listen(fd, BACKLOG) < 0)
		return r < 0 ? err_sysr(e, r, "listen on %s", path)
			     : err_sys(e, "listen on %s", path);
	d->own_socket = xstrdup(path);
	d->listener = take_fd(fd);
	return 0;
}

int daemon_listen(struct dhcp_daemon *d, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s%s", d->o->prefix, d->o->socket);
	int r = lock_fd(d->dir, LOCK_EXCLUSIVE, false);

	if (r == -EWOULDBLOCK)
		return err_set(e, EBUSY, "another daemon serves %s", path);
	if (r < 0)
		return err_sysr(e, r, "lock the directory of leases");
	r = handed_over(&d->listener, e);
	return r == 0 ? bind_own(d, path, e) : r;
}
