/*
 * Checks that are no program: is somebody there, and what does it say?  Made in the app's place, by its
 * user and with its limits; the status is the answer, 0 or 1.  The time that it may take is init's
 * matter, which ends us.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "stage2/stage2.h"

#define STATUS_LINE_MAX 256

static int connect_to(const struct app_check *c)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) c->port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t) c->port)};
	bool is_six = inet_pton(AF_INET6, c->host, &six.sin6_addr) == 1;
	int fd;

	if (!is_six && inet_pton(AF_INET, c->host, &four.sin_addr) != 1)
		return -EINVAL;
	fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if ((is_six ? connect(fd, (struct sockaddr *) &six, sizeof six)
		    : connect(fd, (struct sockaddr *) &four, sizeof four)) < 0) {
		int r = -errno;

		(void) fd_close(fd);
		return r;
	}
	return fd;
}

static bool has_header(const struct app_check *c, const char *name)
{
	size_t n = strlen(name);

	for (char *const *h = c->args; h && *h; h++)
		if (!strncasecmp(*h, name, n) && (*h)[n] == ':')
			return true;
	return false;
}

/* RFC 9112; a header of the operator's wins over ours. */
static char *request(const struct app_check *c)
{
	struct strbuf sb = STRBUF_INIT;
	bool six = strchr(c->host, ':');

	strbuf_addf(&sb, "GET %s HTTP/1.1\r\n", c->path);
	if (!has_header(c, "Host"))
		strbuf_addf(&sb, "Host: %s%s%s:%u\r\n", six ? "[" : "", c->host, six ? "]" : "", c->port);
	if (!has_header(c, "User-Agent"))
		strbuf_adds(&sb, "User-Agent: gantry-probe\r\n");
	if (!has_header(c, "Accept"))
		strbuf_adds(&sb, "Accept: */*\r\n");
	for (char *const *h = c->args; h && *h; h++)
		strbuf_addf(&sb, "%s\r\n", *h);
	strbuf_adds(&sb, "Connection: close\r\n\r\n");
	return strbuf_take(&sb);
}

/* "HTTP/1.x NNN": 200 to 399 is good. */
static bool is_good(const char *line)
{
	char digits[4] = {0};
	uint64_t status;

	if (strncmp(line, "HTTP/1.", 7) || (line[7] != '0' && line[7] != '1') || line[8] != ' ')
		return false;
	memcpy(digits, line + 9, strnlen(line + 9, 3));
	return parse_u64(digits, 999, &status) == 0 && status >= 200 && status < 400;
}

static bool http_is_good(const struct app_check *c, int fd)
{
	_cleanup_free_ char *text = request(c);
	char line[STATUS_LINE_MAX] = {0};
	size_t n = 0;

	if (write_all(fd, text, strlen(text)) < 0)
		return false;
	/* The status stands at the very beginning; nothing else is of interest. */
	while (n < strlen("HTTP/1.1 200")) {
		ssize_t got = read(fd, line + n, sizeof line - 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		n += (size_t) got;
	}
	return is_good(line);
}

int step_check(struct stage2 *s, _unused_ struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;

	if (s->check->how == CHECK_EXEC)
		return 0;
	fd = connect_to(s->check);
	_exit(fd >= 0 && (s->check->how == CHECK_TCP || http_is_good(s->check, fd)) ? 0 : 1);
}
