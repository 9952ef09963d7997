#include "stage1/init/lines.h"

#include <string.h>

char *lines_space(struct lines *l, size_t *room)
{
	if (l->start && l->end == LINES_ROOM) {
		memmove(l->buf, l->buf + l->start, l->end - l->start);
		l->end -= l->start;
		l->start = 0;
	}
	*room = LINES_ROOM - l->end;
	return l->buf + l->end;
}

void lines_added(struct lines *l, size_t n)
{
	l->end += n;
}

void lines_take(struct lines *l, size_t n)
{
	l->start += n;
	if (l->start == l->end)
		l->start = l->end = 0;
}

/*
 * The next piece at p (n bytes are there): its length without the line feed, and how many bytes it
 * stands for; false: the line is not complete.
 */
static bool next_piece(const struct lines *l, const char *p, size_t n, size_t max, size_t *len,
		       size_t *taken)
{
	const char *eol = memchr(p, '\n', n < max + 1 ? n : max + 1);

	if (eol) {
		*len = (size_t) (eol - p);
		*taken = *len + 1;
		return true;
	}
	/* Too long for a piece; or the buffer is full of it; or nothing follows. */
	if (n > max || n == LINES_ROOM || (l->closed && n)) {
		*len = *taken = n < max ? n : max;
		return true;
	}
	return false;
}

size_t lines_batch(struct lines *l, const char *prefix, size_t prefix_len, char *out,
		   size_t out_size)
{
	size_t max = out_size - prefix_len - 1, used = 0, pos = l->start, len, taken;

	while (pos < l->end && next_piece(l, l->buf + pos, l->end - pos, max, &len, &taken)) {
		if (used + prefix_len + len + 1 > out_size)
			break;
		memcpy(out + used, prefix, prefix_len);
		memcpy(out + used + prefix_len, l->buf + pos, len);
		used += prefix_len + len + 1;
		out[used - 1] = '\n';
		pos += taken;
	}
	l->shown = pos - l->start;
	return used;
}

void lines_commit(struct lines *l)
{
	lines_take(l, l->shown);
	l->shown = 0;
}
