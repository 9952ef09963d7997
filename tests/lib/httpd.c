/*
 * httpd: an HTTP/1.1 server for the tests of fetch, with the faults that a client must survive.
 *
 *	httpd DIRECTORY PORTFILE LOGFILE
 *
 * It listens on a free port of 127.0.0.1, writes the number to PORTFILE (by rename: who sees the file
 * sees all of it), and logs one line per request, "METHOD PATH STATUS If-None-Match Range" and then
 * "if-range=... since=... auth=... date=..." (X-Amz-Date).  Each connection is a child of its own and carries one request.
 * It takes a proxy's requests as well (GET http://HOST/NAME), and refuses CONNECT.
 *
 * The first part of a path picks an answer:
 *
 *	/NAME                 the file, with ETag and Last-Modified; 304, 206 and 416 where they are due
 *	/status/CODE/...      that status with an empty body; /busy/CODE/N/...: and Retry-After: N
 *	/redirect/N/NAME      N redirects, then the file
 *	/loop/...             redirects to itself
 *	/goto/TEXT            a redirect to TEXT, %-decoded
 *	/endless/ /headers/   a body without end; headers without end
 *	/garbage/...          not HTTP at all
 *	/auth/NAME            401 unless the request has an Authorization header
 *	/need/TEXT/NAME       401 unless that header ends in TEXT
 *
 * or, as many as there are, the manner of the file:
 *
 *	/once/                the next manner (or status) holds for the first request of this path only
 *	/cut/                 announces the whole, sends half, closes
 *	/reset/               sends half, then the connection breaks
 *	/stall/               sends half and then nothing
 *	/slow/                sends in many small pieces
 *	/chunked/             Transfer-Encoding: chunked
 *	/nolength/            no Content-Length, ends by closing
 *	/maxage/ /aged/       Cache-Control: max-age=3600; the latter with Age: 7200
 *	/expires/             Expires in an hour, no Cache-Control
 *	/date/ /weak/ /bare/  Last-Modified only; a weak ETag only; neither
 *	/whole/               does not know Range
 *	/wrong/               a 206 that begins one byte too late
 *	/careless/            a 206 whatever If-Range says
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct request {
	int fd;
	char method[16], path[4096], none_match[256], since[128], range[128], if_range[256], auth[512], date[32];
	unsigned int how;
};

enum manner {
	ONCE = 1 << 0,	    CUT = 1 << 1,     RESET = 1 << 2, STALL = 1 << 3, SLOW = 1 << 4,  CHUNKED = 1 << 5,
	NOLENGTH = 1 << 6,  MAXAGE = 1 << 7,  AGED = 1 << 8,  EXPIRES = 1 << 9, DATE = 1 << 10, WEAK = 1 << 11,
	BARE = 1 << 12,	    WHOLE = 1 << 13,  WRONG = 1 << 14, CARELESS = 1 << 15,
};

static const char *root, *logfile;

static void log_request(const struct request *r, int status)
{
	char line[6000];
	int fd = open(logfile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int n = snprintf(line, sizeof(line), "%s %s %d %s %s if-range=%s since=%s auth=%s date=%s\n", r->method, r->path,
			 status, r->none_match[0] ? r->none_match : "-", r->range[0] ? r->range : "-", r->if_range,
			 r->since, r->auth, r->date);

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
static void send_body(const struct request *r, int file, long long len)
{
	char buf[65536];
	size_t step = r->how & SLOW ? 1024 : sizeof(buf);
	long long left = r->how & (CUT | RESET | STALL) ? len / 2 : len;

	while (left > 0) {
		ssize_t n = read(file, buf, left < (long long)step ? (size_t)left : step);

		if (n <= 0)
			break;
		if (r->how & CHUNKED)
			dprintf(r->fd, "%zx\r\n", (size_t)n);
		if (send_all(r->fd, buf, (size_t)n) < 0)
			return;
		if (r->how & CHUNKED)
			dprintf(r->fd, "\r\n");
		if (r->how & SLOW)
			nap(2);
		left -= n;
	}
	if (r->how & CHUNKED && !(r->how & CUT))
		dprintf(r->fd, "0\r\n\r\n");
	/* a client that gives up closes its end, and recv returns */
	if (r->how & STALL)
		while (recv(r->fd, buf, sizeof(buf), 0) > 0)
			;
	if (r->how & RESET) {
		struct linger now = { .l_onoff = 1 };
		int unsent = 1;

		while (ioctl(r->fd, TIOCOUTQ, &unsent) == 0 && unsent)
			nap(1);
		setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(r->fd);
		_exit(0);
	}
}

static void http_time(time_t t, char *ret, size_t size)
{
	struct tm tm;

	strftime(ret, size, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&t, &tm));
}

/* The file as it is now, and what it is called. */
struct version {
	char etag[64], modified[64];
	long long size;
};

static void name_version(const struct request *r, const struct stat *st, struct version *v)
{
	v->size = st->st_size;
	v->etag[0] = v->modified[0] = '\0';
	if (!(r->how & (DATE | BARE)))
		snprintf(v->etag, sizeof(v->etag), "%s\"%llx-%llx\"", r->how & WEAK ? "W/" : "",
			 (unsigned long long)st->st_size,
			 (unsigned long long)st->st_mtim.tv_sec * 1000000000ULL +
				 (unsigned long long)st->st_mtim.tv_nsec);
	if (!(r->how & (WEAK | BARE)))
		http_time(st->st_mtim.tv_sec, v->modified, sizeof(v->modified));
}

static int is_unchanged(const struct request *r, const struct version *v)
{
	if (r->none_match[0])
		return !strcmp(r->none_match, v->etag);
	return r->since[0] && !strcmp(r->since, v->modified);
}

/* Where to begin: 0 with 200, > 0 with 206; -1: 416. */
static long long range_start(const struct request *r, const struct version *v)
{
	long long from;

	if (r->how & WHOLE || sscanf(r->range, "bytes=%lld-", &from) != 1)
		return 0;
	if (r->if_range[0] && !(r->how & CARELESS) && strcmp(r->if_range, v->etag) && strcmp(r->if_range, v->modified))
		return 0;
	if (from >= v->size)
		return -1;
	return r->how & WRONG ? from + 1 : from;
}

static void send_head(const struct request *r, const struct version *v, long long from, int status)
{
	char now[64], hour[64];

	http_time(time(NULL), now, sizeof(now));
	http_time(time(NULL) + 3600, hour, sizeof(hour));
	dprintf(r->fd, "HTTP/1.1 %d Here\r\nDate: %s\r\nConnection: close\r\n", status, now);
	if (v->etag[0])
		dprintf(r->fd, "ETag: %s\r\n", v->etag);
	if (v->modified[0])
		dprintf(r->fd, "Last-Modified: %s\r\n", v->modified);
	if (r->how & EXPIRES)
		dprintf(r->fd, "Expires: %s\r\n", hour);
	else
		dprintf(r->fd, "Cache-Control: %s\r\n", r->how & (MAXAGE | AGED) ? "max-age=3600" : "no-cache");
	if (r->how & AGED)
		dprintf(r->fd, "Age: 7200\r\n");
	if (status == 206)
		dprintf(r->fd, "Content-Range: bytes %lld-%lld/%lld\r\n", from, v->size - 1, v->size);
	if (r->how & CHUNKED)
		dprintf(r->fd, "Transfer-Encoding: chunked\r\n");
	else if (!(r->how & NOLENGTH))
		dprintf(r->fd, "Content-Length: %lld\r\n", status == 304 ? 0 : v->size - from);
	dprintf(r->fd, "\r\n");
}

static void serve_file(struct request *r, const char *name)
{
	char path[8192], extra[64];
	struct version v;
	struct stat st;
	long long from;
	int file, status;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) < 0 || !S_ISREG(st.st_mode) || strstr(name, ".."))
		return answer(r, 404, "");
	name_version(r, &st, &v);
	from = range_start(r, &v);
	if (from < 0) {
		snprintf(extra, sizeof(extra), "Content-Range: bytes */%lld\r\n", v.size);
		return answer(r, 416, extra);
	}
	status = is_unchanged(r, &v) ? 304 : from ? 206 : 200;
	log_request(r, status);
	send_head(r, &v, from, status);
	lseek(file, from, SEEK_SET);
	if (strcmp(r->method, "HEAD") && status != 304)
		send_body(r, file, v.size - from);
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
	const char *word;
	enum manner how;
} manners[] = {
	{ "once", ONCE },	  { "cut", CUT },	    { "reset", RESET },	    { "stall", STALL },
	{ "slow", SLOW },	  { "chunked", CHUNKED },   { "nolength", NOLENGTH }, { "maxage", MAXAGE },
	{ "aged", AGED },	  { "expires", EXPIRES },   { "date", DATE },	    { "weak", WEAK },
	{ "bare", BARE },	  { "whole", WHOLE },	    { "wrong", WRONG },	    { "careless", CARELESS },
};

/* The first who asks for this path: a file beside the log remembers. */
static int is_first(const struct request *r)
{
	char path[4352];
	unsigned long long h = 14695981039346656037ULL;
	int fd;

	for (const char *p = r->path; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211ULL;
	snprintf(path, sizeof(path), "%s.once.%llx", logfile, h);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd >= 0 && !close(fd);
}

static unsigned int manner_of(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(*manners); i++)
		if (strlen(manners[i].word) == len && !strncmp(manners[i].word, word, len))
			return manners[i].how;
	return 0;
}

/* Take the manners off the path; a status of "once" is answered here, and there is no path left. */
static char *take_manners(struct request *r, char *path)
{
	for (char *end; *path == '/' && (end = strchr(path + 1, '/')); path = end) {
		size_t len = (size_t)(end - path - 1);
		unsigned int how = manner_of(path + 1, len);
		int first = r->how & ONCE ? is_first(r) : 1;

		if (r->how & ONCE && !how && len == 3 && isdigit((unsigned char)path[1])) {
			if (first) {
				answer(r, (int)strtol(path + 1, NULL, 10), "");
				return NULL;
			}
		} else if (!how) {
			break;
		}
		r->how &= ~(unsigned int)ONCE;
		if (first)
			r->how |= how;
	}
	return path;
}

static void serve_redirect(struct request *r, const char *path)
{
	char to[4352], *name;
	long n = strtol(path + 10, &name, 10);

	if (n > 1)
		snprintf(to, sizeof(to), "/redirect/%ld%s", n - 1, name);
	else
		snprintf(to, sizeof(to), "%s", name);
	redirect(r, to);
}

/* /need/TEXT/NAME */
static void serve_needed(struct request *r, char *path)
{
	char *text = path + 6, *name = strchr(text, '/');
	size_t n = name ? (size_t)(name - text) : 0, have = strlen(r->auth);

	if (!name || have < n || strncmp(r->auth + have - n, text, n))
		answer(r, 401, "WWW-Authenticate: Basic realm=\"test\"\r\n");
	else
		serve_file(r, name + 1);
}

static void serve(struct request *r, char *path)
{
	char *at, extra[64];

	if (!strncmp(path, "/status/", 8)) {
		answer(r, (int)strtol(path + 8, NULL, 10), "");
	} else if (!strncmp(path, "/busy/", 6)) {
		int code = (int)strtol(path + 6, &at, 10);

		snprintf(extra, sizeof(extra), "Retry-After: %ld\r\n", strtol(at + 1, NULL, 10));
		answer(r, code, extra);
	} else if (!strncmp(path, "/redirect/", 10)) {
		serve_redirect(r, path);
	} else if (!strncmp(path, "/loop/", 6)) {
		redirect(r, path);
	} else if (!strncmp(path, "/goto/", 6)) {
		percent_decode(path + 6);
		redirect(r, path + 6);
	} else if (!strncmp(path, "/endless/", 9)) {
		flood(r, "HTTP/1.1 200 Here\r\nConnection: close\r\n\r\n", "0123456789abcdef0123456789abcdef");
	} else if (!strncmp(path, "/headers/", 9)) {
		flood(r, "HTTP/1.1 200 Here\r\n", "X-More: 0123456789abcdef0123456789abcdef\r\n");
	} else if (!strncmp(path, "/garbage/", 9)) {
		log_request(r, 0);
		dprintf(r->fd, "\x16\x03\x01 this is no HTTP\n");
	} else if (!strncmp(path, "/need/", 6)) {
		serve_needed(r, path);
	} else if (!strncmp(path, "/auth/", 6) && !r->auth[0]) {
		answer(r, 401, "WWW-Authenticate: Basic realm=\"test\"\r\n");
	} else if (!strncmp(path, "/auth/", 6)) {
		serve_file(r, path + 6);
	} else {
		path = take_manners(r, path);
		if (path)
			serve_file(r, path + 1);
	}
}

/* "GET http://host/path": we are a proxy, and the origin as well. */
static char *path_of(struct request *r)
{
	char *host = !strncmp(r->path, "http://", 7) ? r->path + 7 : NULL, *path = host ? strchr(host, '/') : NULL;

	return path ? path : r->path;
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
	header_value(head, "\nIf-Modified-Since:", r.since, sizeof(r.since));
	header_value(head, "\nIf-Range:", r.if_range, sizeof(r.if_range));
	header_value(head, "\nRange:", r.range, sizeof(r.range));
	header_value(head, "\nAuthorization:", r.auth, sizeof(r.auth));
	header_value(head, "\nX-Amz-Date:", r.date, sizeof(r.date));
	if (!strcmp(r.method, "CONNECT"))
		answer(&r, 403, "");
	else
		serve(&r, path_of(&r));
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
