/*
 * The network as probe sees it: addresses, TCP both ways, abstract sockets.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static int net_addrs(int argc, char **argv)
{
	struct ifaddrs *all, *a;
	struct if_nameindex *links = if_nameindex();

	(void)argc, (void)argv;
	for (struct if_nameindex *l = links; l && l->if_name; l++)
		printf("link=%s\n", l->if_name);
	if_freenameindex(links);
	if (getifaddrs(&all) < 0)
		return report("addrs", -1, errno);
	for (a = all; a; a = a->ifa_next) {
		char text[INET6_ADDRSTRLEN];
		const void *addr;

		if (!a->ifa_addr)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			addr = &((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr;
		else if (a->ifa_addr->sa_family == AF_INET6)
			addr = &((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr;
		else
			continue;
		printf("addr %s=%s %s\n", a->ifa_name,
		       inet_ntop(a->ifa_addr->sa_family, addr, text, sizeof(text)),
		       a->ifa_flags & IFF_UP ? "up" : "down");
	}
	freeifaddrs(all);
	return 0;
}

/* Answer N connections (default: for ever) with one line of text each. */
static int net_listen(int argc, char **argv)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	long left = argc > 2 ? parse_number(argv[2], 1, 1000000) : -1;
	const char *text = argc > 1 ? argv[1] : "hello";
	int one = 1, zero = 0, s;

	s = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	any.sin6_port = htons((unsigned short)parse_number(argv[0], 1, 65535));
	if (s < 0)
		return report("listen", -1, errno);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(s, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(s, 16) < 0) {
		report("listen", -1, errno);
		return 1;
	}
	report("listen", 0, 0);
	while (left < 0 || left-- > 0) {
		int c = accept(s, NULL, NULL);

		if (c < 0)
			continue;
		dprintf(c, "%s\n", text);
		close(c);
	}
	close(s);
	return 0;
}

static int dial(const char *host, const char *port)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *found, *a;
	int s = -1, err = EADDRNOTAVAIL;

	if (getaddrinfo(host, port, &want, &found)) {
		errno = ENOENT;
		return -1;
	}
	for (a = found; a; a = a->ai_next) {
		s = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (s >= 0 && !connect(s, a->ai_addr, a->ai_addrlen))
			break;
		err = errno;
		if (s >= 0)
			close(s);
		s = -1;
	}
	freeaddrinfo(found);
	errno = err;
	return s;
}

static int net_connect(int argc, char **argv)
{
	struct timespec step = { .tv_nsec = 50000000 };
	char text[256];
	ssize_t n, got = 0;
	/* up to 60 s for a server that is still starting, when asked to wait */
	int tries = argc > 2 ? 1200 : 1, s;

	while ((s = dial(argv[0], argv[1])) < 0 && --tries > 0)
		nanosleep(&step, NULL);
	if (s < 0) {
		printf("connect %s %s=%s\n", argv[0], argv[1], errno_name(errno));
		return 0;
	}
	while (got < (ssize_t)sizeof(text) - 1 &&
	       (n = read(s, text + got, sizeof(text) - 1 - (size_t)got)) > 0)
		got += n;
	close(s);
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	printf("connect %s %s=ok %s\n", argv[0], argv[1], text);
	return 0;
}

static int net_abstract(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(argv[0]);
	char key[160];
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	(void)argc;
	if (n > sizeof(a.sun_path) - 1)
		return 125;
	memcpy(a.sun_path + 1, argv[0], n);
	snprintf(key, sizeof(key), "abstract %s", argv[0]);
	rc = connect(s, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n));
	report(key, rc, errno);
	close(s);
	return 0;
}

const struct command net_commands[] = {
	{ "addrs", 0, net_addrs, "links and addresses" },
	{ "listen", 1, net_listen, "PORT [TEXT [N]]: answer TCP connections" },
	{ "connect", 2, net_connect, "HOST PORT [wait]: print the first line" },
	{ "abstract", 1, net_abstract, "NAME: connect to an abstract socket" },
	{ NULL, 0, NULL, NULL },
};
