/*
 * What apps print: pipe -> log file and, in the foreground, the relay to the monitor.  One app's
 * output is passed on as it is; of several, in whole lines with the app's name before each.
 *
 * The relay's pipe may be full: then the app's pipe is not read any further, fills up in turn, and
 * the app waits.  Nothing is lost and nothing is kept in memory.  A write of at most PIPE_BUF bytes
 * to a non-blocking pipe is all or nothing (pipe(7)), so lines of different apps never mix.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "stage1/init/init.h"

/* As much as a pipe can hold (fs.pipe-max-size): an app that is gone cannot have left more. */
#define DRAIN_MAX (1 << 20)

/* What goes to the relay at once, and how many bytes of the buffer it stands for. */
static const char *next_chunk(struct pod *pod, struct app *a, struct lines *l, size_t *len)
{
	static char batch[PIPE_BUF];

	if (pod->n_apps == 1) {
		*len = l->shown = lines_left(l);
		return l->buf + l->start;
	}
	*len = lines_batch(l, a->prefix, strlen(a->prefix), batch, sizeof batch);
	return batch;
}

/* Nobody reads it any more: the logs go on, and nobody waits for it. */
static void close_relay(struct pod *pod, int which)
{
	pod->relay[which] = fd_close(pod->relay[which]);
	for (size_t i = 0; i < pod->n_apps; i++)
		pod->apps[i].out[which].blocked = false;
}

/* Pass on what is in the buffer; false: the relay is full. */
static bool relay(struct pod *pod, struct app *a, int which)
{
	struct lines *l = &a->out[which].lines;
	size_t len;

	while (pod->relay[which] >= 0) {
		const char *chunk = next_chunk(pod, a, l, &len);
		ssize_t n;

		if (!len)
			return true;
		n = write(pod->relay[which], chunk, len);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close_relay(pod, which);
			break;
		}
		if (pod->n_apps == 1)
			lines_take(l, (size_t) n);
		else
			lines_commit(l);
	}
	lines_take(l, lines_left(l));
	return true;
}

static void finish(struct pod *pod, struct app *a, int which)
{
	struct stream *s = &a->out[which];

	s->fd = fd_close(s->fd);
	s->lines.closed = true;
	s->blocked = !relay(pod, a, which);
}

void stream_pump(struct pod *pod, struct app *a, int which)
{
	struct stream *s = &a->out[which];
	size_t total = 0;

	s->blocked = !relay(pod, a, which);
	while (s->fd >= 0 && !s->blocked) {
		size_t room;
		char *to = lines_space(&s->lines, &room);
		ssize_t n = read(s->fd, to, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && !s->draining)
			return;
		if (n <= 0) {
			finish(pod, a, which);
			return;
		}
		/* A full disk does not stop an app; the relay still has it. */
		(void) write_all(a->log, to, (size_t) n);
		lines_added(&s->lines, (size_t) n);
		s->blocked = !relay(pod, a, which);
		total += (size_t) n;
		if (s->draining && total >= DRAIN_MAX) {
			finish(pod, a, which);
			return;
		}
		/* One buffer at a time: other apps and signals want their turn. */
		if (!s->draining && total >= LINES_ROOM)
			return;
	}
}

void stream_drain(struct pod *pod, struct app *a)
{
	for (int i = 0; i < 2; i++) {
		a->out_write[i] = fd_close(a->out_write[i]);
		a->out[i].draining = true;
		stream_pump(pod, a, i);
	}
}

bool output_is_done(const struct pod *pod)
{
	for (size_t i = 0; i < pod->n_apps; i++)
		for (int k = 0; k < 2; k++)
			if (pod->apps[i].out[k].fd >= 0 || pod->apps[i].out[k].blocked)
				return false;
	return true;
}
