/*
 * httpd: an HTTP/1.1 server for the tests of fetch, with the faults that a client must survive.
 *
 *	httpd DIRECTORY PORTFILE LOGFILE
 *
 * It listens on a free port of 127.0.0.1, writes the number to PORTFILE (by rename: who sees the file
 * sees all of it), and logs one line per request, "METHOD PATH STATUS If-None-Match Range".  Each
 * connection is a child of its own and carries one request.  The first part of a path picks a manner:
 *
 *	/NAME                 the file, with ETag; 304 for If-None-Match, 206 for Range
 *	/status/CODE/...      that status with an empty body
 *	/redirect/N/NAME      N redirects, then the file
 *	/loop/...             redirects to itself
 *	/goto/TEXT            a redirect to TEXT, %-decoded
 *	/cut/NAME             announces the whole, sends half, closes
 *	/stall/NAME           sends half and then nothing
 *	/slow/NAME            sends in many small pieces
 *	/chunked/NAME         Transfer-Encoding: chunked
 *	/nolength/NAME        no Content-Length, ends by closing
 *	/endless/...          a body without end
 *	/headers/...          headers without end
 *	/garbage/...          not HTTP at all
 *	/maxage/NAME          the file with Cache-Control: max-age=3600
 *	/auth/NAME            401 unless the request has an Authorization header
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct request {
	int fd;
	char method[16], path[4096], none_match[256], range[128], auth[256];
};

enum manner { WHOLE, CUT, STALL, SLOW, CHUNKED, NOLENGTH, MAXAGE };

static const char *root, *logfile;

static void log_request(const struct request *r, int status)
{
	char line[5000];
	int fd = open(logfile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int n = snprintf(line, sizeof(line), "%s %s %d %s %s\n", r->method, r->path, status,
			 r->none_match[0] ? r->none_match : "-", r->range[0] ? r->range : "-");

	if (fd >= 0 && write(fd, line, (size_t)n) != n)
		perror("httpd: log");
	if (fd >= 0)
		close(fd);
}

static void answer(const struct request *r, int status, const char *extra)
{
	log_request(r, status);
	dprintf(r->fd, "HTTP/1.1 %d Said\r\nContent-Length: 0\r\nConnection: close\r\n%s\r\n", status, extra);
}

static void redirect(const struct request *r, const char *to)
{
	char extra[4352];

	snprintf(extra, sizeof(extra), "Location: %s\r\n", to);
	answer(r, 302, extra);
}

static void nap(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Send LEN bytes of the file in the manner asked for; `step` bounds one write. */
static void send_body(const struct request *r, int file, long long len, enum manner how)
{
	char buf[65536];
	size_t step = how == SLOW ? 1024 : sizeof(buf);
	long long left = how == CUT || how == STALL ? len / 2 : len;

	while (left > 0) {
		ssize_t n = read(file, buf, left < (long long)step ? (size_t)left : step);

		if (n <= 0)
			break;
		if (how == CHUNKED)
			dprintf(r->fd, "%zx\r\n", (size_t)n);
		if (send_all(r->fd, buf, (size_t)n) < 0)
			return;
		if (how == CHUNKED)
			dprintf(r->fd, "\r\n");
		if (how == SLOW)
			nap(2);
		left -= n;
	}
	if (how == CHUNKED)
		dprintf(r->fd, "0\r\n\r\n");
	/* a client that gives up closes its end, and recv returns */
	if (how == STALL)
		while (recv(r->fd, buf, sizeof(buf), 0) > 0)
			;
}

static void serve_file(struct request *r, const char *name, enum manner how)
{
	char path[8192], etag[64];
	struct stat st;
	long long from = 0;
	int file, status = 200;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) < 0 || !S_ISREG(st.st_mode) || strstr(name, "..")) {
		answer(r, 404, "");
		return;
	}
	snprintf(etag, sizeof(etag), "\"%llx-%llx\"", (unsigned long long)st.st_size,
		 (unsigned long long)st.st_mtim.tv_sec * 1000000000ULL + (unsigned long long)st.st_mtim.tv_nsec);
	if (!strcmp(r->none_match, etag)) {
		answer(r, 304, "");
		return;
	}
	if (sscanf(r->range, "bytes=%lld-", &from) == 1 && from > 0 && from < st.st_size) {
		status = 206;
		lseek(file, from, SEEK_SET);
	} else {
		from = 0;
	}
	log_request(r, status);
	dprintf(r->fd, "HTTP/1.1 %d Here\r\nETag: %s\r\nConnection: close\r\n", status, etag);
	if (status == 206)
		dprintf(r->fd, "Content-Range: bytes %lld-%lld/%lld\r\n", from, (long long)st.st_size - 1,
			(long long)st.st_size);
	if (how == CHUNKED)
		dprintf(r->fd, "Transfer-Encoding: chunked\r\n");
	else if (how != NOLENGTH)
		dprintf(r->fd, "Content-Length: %lld\r\n", (long long)st.st_size - from);
	dprintf(r->fd, "Cache-Control: %s\r\n\r\n", how == MAXAGE ? "max-age=3600" : "no-cache");
	if (strcmp(r->method, "HEAD"))
		send_body(r, file, st.st_size - from, how);
	close(file);
}

static void flood(const struct request *r, const char *head, const char *piece)
{
	log_request(r, 200);
	if (send_all(r->fd, head, strlen(head)) < 0)
		return;
	while (!send_all(r->fd, piece, strlen(piece)))
		;
}

static void percent_decode(char *text)
{
	char *to = text;
	unsigned int byte;

	for (; *text; text++) {
		if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static const struct {
	const char *prefix;
	enum manner how;
} manners[] = {
	{ "/cut/", CUT },	    { "/stall/", STALL },	{ "/slow/", SLOW },
	{ "/chunked/", CHUNKED },   { "/nolength/", NOLENGTH }, { "/maxage/", MAXAGE },
};

static void serve_redirect(struct request *r)
{
	char to[4352], *name;
	long n = strtol(r->path + 10, &name, 10);

	if (n > 1)
		snprintf(to, sizeof(to), "/redirect/%ld%s", n - 1, name);
	else
		snprintf(to, sizeof(to), "%s", name);
	redirect(r, to);
}

static void serve(struct request *r)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(*manners); i++) {
		size_t n = strlen(manners[i].prefix);

		if (!strncmp(r->path, manners[i].prefix, n)) {
			serve_file(r, r->path + n, manners[i].how);
			return;
		}
	}
	if (!strncmp(r->path, "/status/", 8)) {
		answer(r, (int)strtol(r->path + 8, NULL, 10), "");
	} else if (!strncmp(r->path, "/redirect/", 10)) {
		serve_redirect(r);
	} else if (!strncmp(r->path, "/loop/", 6)) {
		redirect(r, r->path);
	} else if (!strncmp(r->path, "/goto/", 6)) {
		percent_decode(r->path + 6);
		redirect(r, r->path + 6);
	} else if (!strncmp(r->path, "/endless/", 9)) {
		flood(r, "HTTP/1.1 200 Here\r\nConnection: close\r\n\r\n", "0123456789abcdef0123456789abcdef");
	} else if (!strncmp(r->path, "/headers/", 9)) {
		flood(r, "HTTP/1.1 200 Here\r\n", "X-More: 0123456789abcdef0123456789abcdef\r\n");
	} else if (!strncmp(r->path, "/garbage/", 9)) {
		log_request(r, 0);
		dprintf(r->fd, "\x16\x03\x01 this is no HTTP\n");
	} else if (!strncmp(r->path, "/auth/", 6) && !r->auth[0]) {
		answer(r, 401, "WWW-Authenticate: Basic realm=\"test\"\r\n");
	} else if (!strncmp(r->path, "/auth/", 6)) {
		serve_file(r, r->path + 6, WHOLE);
	} else {
		serve_file(r, r->path + 1, WHOLE);
	}
}

static void header_value(const char *head, const char *key, char *ret, size_t size)
{
	const char *p = strcasestr(head, key);
	size_t n;

	if (!p)
		return;
	p += strlen(key);
	p += strspn(p, " ");
	n = strcspn(p, "\r\n");
	snprintf(ret, size, "%.*s", (int)n, p);
}

static void handle(int fd)
{
	struct request r = { .fd = fd };
	char head[16384];
	size_t got = 0;
	ssize_t n;

	while (got < sizeof(head) - 1 && (n = recv(fd, head + got, sizeof(head) - 1 - got, 0)) > 0) {
		got += (size_t)n;
		head[got] = '\0';
		if (strstr(head, "\r\n\r\n"))
			break;
	}
	head[got] = '\0';
	if (sscanf(head, "%15s %4095s", r.method, r.path) != 2)
		return;
	header_value(head, "\nIf-None-Match:", r.none_match, sizeof(r.none_match));
	header_value(head, "\nRange:", r.range, sizeof(r.range));
	header_value(head, "\nAuthorization:", r.auth, sizeof(r.auth));
	serve(&r);
	shutdown(fd, SHUT_WR);
}

static int write_port(const char *path, int s)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	char temp[4096];
	FILE *f;

	snprintf(temp, sizeof(temp), "%s.new", path);
	f = fopen(temp, "we");
	if (!f || getsockname(s, (struct sockaddr *)&at, &len) < 0)
		return -1;
	fprintf(f, "%d\n", ntohs(at.sin_port));
	fclose(f);
	return rename(temp, path);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int s;

	if (argc != 4) {
		fprintf(stderr, "usage: httpd DIRECTORY PORTFILE LOGFILE\n");
		return 2;
	}
	root = argv[1];
	logfile = argv[3];
	signal(SIGCHLD, SIG_IGN);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(s, 64) < 0 ||
	    write_port(argv[2], s) < 0) {
		perror("httpd");
		return 1;
	}
	for (;;) {
		int c = accept4(s, NULL, NULL, SOCK_CLOEXEC);

		if (c < 0)
			continue;
		if (!fork()) {
			/* nothing of a server outlives its test */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			alarm(300);
			handle(c);
			_exit(0);
		}
		close(c);
	}
}
