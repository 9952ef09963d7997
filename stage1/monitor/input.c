/*
 * Under --interactive, what comes on our standard input: to the app's terminal, or to a pipe of its own.
 *
 * Ctrl-] three times within a second ends the pod, whatever the app makes of its keys: the way out of
 * a terminal on which Ctrl-C is just another key.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stage1/monitor/monitor.h"

#define ESCAPE 0x1d /* Ctrl-] */
#define ESCAPES 3
#define ESCAPE_MS 1000

static int64_t now_ms(void)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* True when the keys of the buffer complete the sequence. */
static bool is_escape(struct input *in, const char *p, size_t n)
{
	int64_t now = now_ms();

	for (; n; n--, p++) {
		if (*p != ESCAPE) {
			in->escapes = 0;
			continue;
		}
		if (!in->escapes || now - in->since > ESCAPE_MS) {
			in->escapes = 0;
			in->since = now;
		}
		if (++in->escapes == ESCAPES)
			return true;
	}
	return false;
}

static void end(struct input *in)
{
	in->end = true;
	/* The reader of a pipe sees the end; a terminal has none. */
	if (!in->len)
		in->to = fd_close(in->to);
}

void input_read(struct monitor *m)
{
	struct input *in = &m->input;
	ssize_t n = read(STDIN_FILENO, in->buf, INPUT_ROOM);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end(in);
		return;
	}
	if (m->pty >= 0 && is_escape(in, in->buf, (size_t) n)) {
		m->escaped = true;
		end_at_once(m);
		end(in);
		return;
	}
	in->len = (size_t) n;
	input_write(m);
}

void input_write(struct monitor *m)
{
	struct input *in = &m->input;
	ssize_t n = write(in->to, in->buf, in->len);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		/* The app does not read any more, or is gone. */
		in->len = 0;
		end(in);
		return;
	}
	in->len -= (size_t) n;
	memmove(in->buf, in->buf + n, in->len);
	if (in->end && !in->len)
		end(in);
}
