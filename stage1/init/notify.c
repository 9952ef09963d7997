/*
 * What an app says of itself (sd_notify(3)): datagrams of lines, of which READY=1 is for us.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "stage1/init/init.h"

/* More than systemd takes. */
#define ROOM 8192

static bool is_ready(const char *text, size_t len)
{
	static const char word[] = "READY=1";
	const char *p = text, *end = text + len;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t) (end - p));
		size_t n = (size_t) ((eol ? eol : end) - p);

		if (n == strlen(word) && !memcmp(p, word, n))
			return true;
		p += n + 1;
	}
	return false;
}

bool notify_read(struct app *a)
{
	static char text[ROOM];
	ssize_t n = recv(a->notify, text, sizeof text, MSG_DONTWAIT);

	/* Not an end: the socket is ours, whoever may write to it. */
	if (n <= 0 || a->notified || !is_ready(text, (size_t) n))
		return false;
	a->notified = true;
	return true;
}
