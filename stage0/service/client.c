#include "stage0/service/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"

#define ANSWER_MAX 65536
/* RFC 9112: a field line of the head, and the end of it. */
#define LENGTH "content-length:"

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int service_connect(const char *path, int timeout_ms, struct service_client *ret, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	*ret = (struct service_client) {-EBADF, now_ms() + timeout_ms, path};
	if (fd < 0)
		return err_sys(e, "socket");
	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ENAMETOOLONG, "%s", path);
	memcpy(a.sun_path, path, strlen(path));
	/* A full backlog makes connect(2) wait, for so long (unix(7), socket(7)). */
	(void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (const struct sockaddr *) &a, sizeof a) < 0)
		return err_sys(e, "connect to %s", path);
	ret->fd = take_fd(fd);
	return 0;
}

void service_close(struct service_client *c)
{
	c->fd = fd_close(c->fd);
}

static int wait_for(const struct service_client *c, short events, struct err *e)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	int64_t left;
	int n;

	do {
		left = c->deadline - now_ms();
		n = poll(&p, 1, left > 0 ? (int) left : 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "poll");
	return n ? 0 : err_set(e, ETIMEDOUT, "%s: no answer in time", c->path);
}

static int send_all(const struct service_client *c, const char *data, size_t len, struct err *e)
{
	while (len) {
		int r = wait_for(c, POLLOUT, e);
		ssize_t n = r < 0 ? 0 : send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0)
			return r;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "%s", c->path);
		if (n > 0) {
			data += n;
			len -= (size_t) n;
		}
	}
	return 0;
}

int service_parse_head(const char *text, size_t len, size_t *ret_body, size_t *ret_len)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4), *line = text;
	_cleanup_free_ char *status = NULL;
	uint64_t code, body = 0;

	if (!end)
		return len < ANSWER_MAX ? -EAGAIN : -EPROTO;
	if (len < 12 || memcmp(text, "HTTP/1.", 7))
		return -EPROTO;
	status = xstrndup(text + 9, 3);
	if (text[8] != ' ' || parse_u64(status, 599, &code) < 0 || code < 100)
		return -EPROTO;
	while (line < end && (line = memmem(line, (size_t) (end - line), "\r\n", 2))) {
		_cleanup_free_ char *value = NULL;
		const char *stop;

		line += 2;
		if ((size_t) (end - line) < strlen(LENGTH) ||
		    strncasecmp(line, LENGTH, strlen(LENGTH)))
			continue;
		line += strlen(LENGTH);
		while (line < end && *line == ' ')
			line++;
		stop = memchr(line, '\r', (size_t) (end + 1 - line));
		value = xstrndup(line, (size_t) ((stop ? stop : end) - line));
		if (parse_u64(value, ANSWER_MAX, &body) < 0)
			return -EPROTO;
	}
	*ret_body = (size_t) (end - text) + 4;
	*ret_len = (size_t) body;
	return (int) code;
}

static int receive(const struct service_client *c, char **ret_body, struct err *e)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;
	size_t body = 0, len = 0;
	int status = -EAGAIN;
	char buf[4096];

	while (status == -EAGAIN || sb.len < body + len) {
		int r = wait_for(c, POLLIN, e);
		ssize_t n = r < 0 ? 0 : recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);

		if (r < 0)
			return r;
		if (n == 0)
			return err_set(e, EPROTO, "%s: the connection ended within an answer",
				       c->path);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_sys(e, "%s", c->path);
		if (n > 0)
			strbuf_add(&sb, buf, (size_t) n);
		if (status == -EAGAIN)
			status = service_parse_head(sb.buf ? sb.buf : "", sb.len, &body, &len);
		if (status < 0 && status != -EAGAIN)
			return err_set(e, EPROTO, "%s: the answer is not HTTP", c->path);
	}
	if (ret_body)
		*ret_body = xstrndup(sb.buf + body, len);
	return status;
}

int service_request(struct service_client *c, const char *method, const char *target,
		    const char *body, size_t len, char **ret_body, struct err *e)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	int r;

	strbuf_addf(&out, "%s %s HTTP/1.1\r\nHost: gantry\r\n", method, target);
	if (body)
		strbuf_addf(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", len);
	strbuf_adds(&out, "\r\n");
	if (body)
		strbuf_add(&out, body, len);
	r = send_all(c, out.buf, out.len, e);
	return r < 0 ? r : receive(c, ret_body, e);
}
