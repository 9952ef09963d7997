/*
 * activate: stands for a service manager.  It opens sockets, starts a command with them as systemd does
 * (sd_listen_fds(3)), writes down what the command notifies it of (sd_notify(3)), passes TERM on, and ends
 * as the command ends.
 *
 *	activate [-t PORT | -u PORT | -x PATH]... [-n SOCKET LOG] -- COMMAND ARG...
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST 3

static pid_t child;

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static int open_inet(int type, const char *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((unsigned short)strtoul(port, NULL, 10)),
	};
	int one = 1, s = socket(AF_INET, type, 0);

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (s < 0 || bind(s, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("activate: bind");
	if (type == SOCK_STREAM && listen(s, 16) < 0)
		die("activate: listen");
	return s;
}

static int open_unix(int type, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int one = 1, s = socket(AF_UNIX, type | (type == SOCK_DGRAM ? SOCK_CLOEXEC : 0), 0);

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	if (s < 0 || bind(s, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("activate: bind");
	if (type == SOCK_STREAM)
		listen(s, 16);
	setsockopt(s, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	return s;
}

static void start(char **argv, const int *fds, int n)
{
	char text[32];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* none of them is in the way of another: they were opened in this order, above */
	for (int i = 0; i < n; i++)
		if (dup2(fds[i], FIRST + i) < 0)
			die("activate: dup2");
	snprintf(text, sizeof(text), "%d", n);
	if (n)
		setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	if (n)
		setenv("LISTEN_PID", text, 1);
	execvp(argv[0], argv);
	die("activate: exec");
}

static void receive(int s, FILE *log)
{
	char text[4096], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(s, &msg, MSG_DONTWAIT);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct ucred who = { 0 };

	if (n <= 0)
		return;
	if (c && c->cmsg_type == SCM_CREDENTIALS)
		memcpy(&who, CMSG_DATA(c), sizeof(who));
	text[n] = '\0';
	for (char *p = strtok(text, "\n"); p; p = strtok(NULL, "\n"))
		fprintf(log, "%s %s\n", who.pid == child ? "main" : "other", p);
	fflush(log);
}

static void pass_on(int sig)
{
	kill(child, sig);
}

int main(int argc, char **argv)
{
	int fds[16], n = 0, notify = -1, i, st;
	FILE *log = NULL;

	for (i = 1; i + 1 < argc && strcmp(argv[i], "--"); i += 2) {
		if (!strcmp(argv[i], "-t"))
			fds[n++] = open_inet(SOCK_STREAM, argv[i + 1]);
		else if (!strcmp(argv[i], "-u"))
			fds[n++] = open_inet(SOCK_DGRAM, argv[i + 1]);
		else if (!strcmp(argv[i], "-x"))
			fds[n++] = open_unix(SOCK_STREAM, argv[i + 1]);
		else if (!strcmp(argv[i], "-n") && i + 2 < argc) {
			notify = open_unix(SOCK_DGRAM, argv[i + 1]);
			setenv("NOTIFY_SOCKET", argv[i + 1], 1);
			log = fopen(argv[i + 2], "ae");
			i++;
		} else {
			fprintf(stderr, "activate: what is %s?\n", argv[i]);
			return 99;
		}
	}
	child = fork();
	if (child == 0)
		start(argv + i + 1, fds, n);
	signal(SIGTERM, pass_on);
	for (;;) {
		struct pollfd p = { .fd = notify, .events = POLLIN };

		/* what was said before its end is read first */
		poll(&p, 1, 20);
		if (p.revents) {
			receive(notify, log);
			continue;
		}
		if (waitpid(child, &st, WNOHANG) == child)
			return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
	}
}
