/*
 * An HTTP client of few lines, for what a pod asks of the host: one request, one connection.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

#define ANSWER_MAX 65536

/* "http://HOST:PORT/REST" with an address for a host, in brackets or not. */
static int split_url(char *url, char **host, char **port, char **path)
{
	char *end;

	if (strncmp(url, "http://", 7))
		return -1;
	url += 7;
	*path = strchr(url, '/');
	if (!*path)
		return -1;
	end = *path;
	*(*path)++ = '\0';
	*port = memrchr(url, ':', (size_t)(end - url));
	if (!*port)
		return -1;
	*(*port)++ = '\0';
	*host = url;
	if (*url == '[') {
		++*host;
		(*host)[strcspn(*host, "]")] = '\0';
	}
	return 0;
}

static int dial(const char *host, const char *port)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *a;
	int s;

	if (getaddrinfo(host, port, &want, &a)) {
		errno = EINVAL;
		return -1;
	}
	s = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
	if (s >= 0 && connect(s, a->ai_addr, a->ai_addrlen) < 0) {
		int err = errno;

		close(s);
		s = -1;
		errno = err;
	}
	freeaddrinfo(a);
	return s;
}

static void show(char *answer)
{
	char *body = strstr(answer, "\r\n\r\n"), *type;

	if (!body || strlen(answer) < 12) {
		printf("http=malformed\n");
		return;
	}
	*body = '\0';
	type = strcasestr(answer, "\r\ncontent-type: ");
	printf("http=%.3s\n", answer + 9);
	if (type)
		printf("type=%.*s\n", (int)strcspn(type + 16, "\r"), type + 16);
	printf("body=%s\n", body + 4);
}

/* METHOD URL [FORM [CONTENT-TYPE]]; a URL that begins with a slash is one of the metadata service. */
static int do_http(int argc, char **argv)
{
	static char answer[ANSWER_MAX];
	const char *base = getenv("AC_METADATA_URL"), *form = argc > 2 ? argv[2] : NULL;
	char *url, *host, *port, *path;
	size_t got = 0;
	ssize_t n;
	int s;

	if (asprintf(&url, "%s%s%s", *argv[1] == '/' && base ? base : "",
		     *argv[1] == '/' ? "/acMetadata/v1" : "", argv[1]) < 0)
		return 125;
	if (split_url(url, &host, &port, &path) < 0) {
		printf("http=nowhere\n");
		return 0;
	}
	s = dial(host, port);
	if (s < 0) {
		printf("http=%s\n", errno_name(errno));
		return 0;
	}
	dprintf(s, "%s /%s HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n", argv[0], path);
	if (form)
		dprintf(s, "Content-Type: %s\r\nContent-Length: %zu\r\n",
			argc > 3 ? argv[3] : "application/x-www-form-urlencoded", strlen(form));
	dprintf(s, "\r\n%s", form ? form : "");
	while (got < sizeof(answer) - 1 && (n = read(s, answer + got, sizeof(answer) - 1 - got)) > 0)
		got += (size_t)n;
	answer[got] = '\0';
	close(s);
	free(url);
	show(answer);
	fflush(stdout);
	return 0;
}

const struct command http_commands[] = {
	{ "http", 2, do_http, "METHOD URL [FORM [TYPE]]: status, type and body of the answer" },
	{ NULL, 0, NULL, NULL },
};
