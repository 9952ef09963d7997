/*
 * Commands about the service manager's protocols: sockets that come as descriptors, and notifications.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

#define FIRST 3

static int count_fds(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");

	return count && pid && strtol(pid, NULL, 10) == getpid() ? (int) strtol(count, NULL, 10) : 0;
}

/* What came, then one answered connection on each. */
static int do_accept(int argc, char **argv)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int n = count_fds();

	printf("sockets=%d\nnames=%s\n", n, names ? names : "");
	for (int i = 0; i < n; i++) {
		struct sockaddr_in6 addr = { 0 };
		socklen_t len = sizeof(addr), type_len = sizeof(int);
		int type = 0;

		/* the port is at the same place for both families */
		if (getsockname(FIRST + i, (struct sockaddr *)&addr, &len) < 0 ||
		    getsockopt(FIRST + i, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0)
			report("socket", -1, errno);
		else
			printf("socket %d=%s %d\n", FIRST + i, type == SOCK_DGRAM ? "udp" : "tcp",
			       ntohs(addr.sin6_port));
	}
	fflush(stdout);
	for (int i = 0; argc && i < n; i++) {
		int c = accept(FIRST + i, NULL, NULL);

		if (c < 0)
			return report("accept", -1, errno);
		dprintf(c, "%s\n", argv[0]);
		close(c);
	}
	return 0;
}

/* All words as lines of one datagram. */
static int do_notify(int argc, char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char text[512] = "";
	size_t len = 0;
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int i = 0; i < argc && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", argv[i]);
	if (!path) {
		printf("notify=nowhere\n");
		return 0;
	}
	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	if (sendto(s, text, strlen(text), 0, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return report("notify", -1, errno);
	return report("notify", 0, 0);
}

const struct command service_commands[] = {
	{ "accept", 0, do_accept, "[TEXT]: sockets of the service manager; answer one connection on each" },
	{ "notify", 1, do_notify, "LINE...: tell the service manager" },
	{ NULL, 0, NULL, NULL },
};
