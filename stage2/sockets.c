/*
 * Listening sockets of a socket-activated app, as sd_listen_fds(3) wants them: descriptors 3 and
 * up, in their order, and three variables that say so.  They come from the service manager by way
 * of stage0, or are made here, in the pod's network: the specification promises the app one in any
 * case.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage2/stage2.h"

#define FIRST 3 /* SD_LISTEN_FDS_START */
#define SOCKETS_MAX 64

static int bind_any(int fd, int domain, unsigned port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};

	return domain == AF_INET6 ? bind(fd, (struct sockaddr *) &six, sizeof six)
				  : bind(fd, (struct sockaddr *) &four, sizeof four);
}

/* Both families by one socket where there is IPv6. */
static int listen_on(bool udp, unsigned port)
{
	static const int domains[] = {AF_INET6, AF_INET};
	static const int yes = 1, no = 0;
	int type = (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, r = -EAFNOSUPPORT;

	for (size_t i = 0; i < ELEMENTSOF(domains); i++) {
		_cleanup_fd_ int fd = socket(domains[i], type, 0);

		if (fd < 0) {
			r = -errno;
			continue;
		}
		(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		if (domains[i] == AF_INET6)
			(void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
		if (bind_any(fd, domains[i], port) == 0 && (udp || listen(fd, SOMAXCONN) == 0))
			return take_fd(fd);
		r = -errno;
		if (r != -EADDRNOTAVAIL && r != -EAFNOSUPPORT)
			break;
	}
	return r;
}

/* The socket, with a number that is none of those which the app's will have. */
static int open_socket(size_t i, const char *text, size_t n, const char **ret_name, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	unsigned port = 0;
	bool udp = false;
	int high;

	if (app_record_parse_listen(text, &udp, &port, ret_name) < 0)
		return err_set(e, EINVAL, "%s", q(text));
	fd = port ? listen_on(udp, port) : fds_take_n("listen", (unsigned) i);
	if (fd < 0)
		return err_sysr(e, fd, "listen for %s", q(text));
	high = fcntl(fd, F_DUPFD_CLOEXEC, FIRST + (int) n);
	return high < 0 ? err_sys(e, "descriptor of %s", q(text)) : high;
}

/* Ours that are needed still make room. */
static int make_room(int *fd, size_t n, struct err *e)
{
	int high;

	if (*fd < 0 || *fd >= FIRST + (int) n)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST + (int) n);
	if (high < 0)
		return err_sys(e, "move descriptor %d", *fd);
	(void) fd_close(*fd);
	*fd = high;
	return 0;
}

/* Those of the caller (--inherit-env) are of other sockets, and the first of a name is found. */
static void forget_variables(struct stage2 *s)
{
	char **env = NULL;

	for (char **v = s->rec.env; v && *v; v++)
		if (!str_starts(*v, "LISTEN_FDS=") && !str_starts(*v, "LISTEN_PID=") &&
		    !str_starts(*v, "LISTEN_FDNAMES="))
			strv_add(&env, *v);
	strv_free(s->rec.env);
	s->rec.env = env;
}

int step_sockets(struct stage2 *s, struct err *e)
{
	size_t n = strv_len(s->rec.listen);
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT;
	int fds[SOCKETS_MAX], r;

	if (!n)
		return 0;
	if (n > SOCKETS_MAX)
		return err_set(e, E2BIG, "%zu listening sockets, the limit is %d", n, SOCKETS_MAX);
	r = make_room(&s->error, n, e);
	if (r == 0)
		r = make_room(&s->seccomp, n, e);
	for (size_t i = 0; i < n && r >= 0; i++) {
		const char *name = "";

		r = fds[i] = open_socket(i, s->rec.listen[i], n, &name, e);
		strbuf_addf(&names, "%s%s", i ? ":" : "LISTEN_FDNAMES=", name);
	}
	/* What else has one of the numbers is not needed any more. */
	for (size_t i = 0; i < n && r >= 0; i++) {
		if (dup2(fds[i], FIRST + (int) i) < 0)
			r = err_sys(e, "place socket %zu", i);
		(void) fd_close(fds[i]);
	}
	if (r < 0)
		return r;
	forget_variables(s);
	strv_push(&s->rec.env, xasprintf("LISTEN_FDS=%zu", n));
	strv_push(&s->rec.env, xasprintf("LISTEN_PID=%d", (int) getpid()));
	strv_push(&s->rec.env, strbuf_take(&names));
	return 0;
}
