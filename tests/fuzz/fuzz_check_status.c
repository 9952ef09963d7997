/*
 * What a server that is probed answers; the whole file, since what reads it has no name outside.
 */
#include "stage2/check.c"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char three_digits[] = "HTTP/1.x 200";

/* RFC 9112, section 4: a line that begins with the version and three digits. */
static bool should_be_good(const uint8_t *data, size_t size)
{
	if (size < strlen(three_digits) || memcmp(data, "HTTP/1.", 7) || (data[7] != '0' && data[7] != '1') || data[8] != ' ')
		return false;
	return (data[9] == '2' || data[9] == '3') && data[10] >= '0' && data[10] <= '9' && data[11] >= '0' && data[11] <= '9';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *header[] = {(char[]) {"X-A: b"}, NULL};
	struct app_check c = {.how = CHECK_HTTP, .host = (char[]) {"::1"}, .port = 80, .path = (char[]) {"/"}, .args = header};
	char asked[1024];
	ssize_t n;
	int fd[2];

	/* What is behind the first kilobyte is never read. */
	if (size > sizeof asked)
		size = sizeof asked;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0 || write_all(fd[1], data, size) < 0 ||
	    shutdown(fd[1], SHUT_WR) < 0)
		abort();
	if (http_is_good(&c, fd[0]) != should_be_good(data, size))
		abort();
	n = read(fd[1], asked, sizeof asked);
	if (n < 4 || memcmp(asked, "GET / HTTP/1.1\r\nHost: [::1]:80\r\n", 31) || memcmp(asked + n - 4, "\r\n\r\n", 4))
		abort();
	(void) fd_close(fd[0]);
	(void) fd_close(fd[1]);
	return 0;
}
