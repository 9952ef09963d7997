#include "stage0/worker/tar_index.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path_escape.h"

#define PIECE (32u << 10)

struct file_source {
	int fd;
	uint64_t pos, size; /* pos: behind what was given */
	uint8_t *buf;
};

static int next_piece(void *arg, const uint8_t **data, size_t *len, struct err *e)
{
	struct file_source *s = arg;
	ssize_t n;

	do
		n = pread(s->fd, s->buf, PIECE, (off_t) s->pos);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read");
	s->pos += (uint64_t) n;
	*data = s->buf;
	*len = (size_t) n;
	return n > 0;
}

static int seek(void *arg, uint64_t n, struct err *e)
{
	struct file_source *s = arg;

	if (s->pos > s->size || n > s->size - s->pos)
		return err_set(e, EINVAL, "the archive is cut short");
	s->pos += n;
	return 0;
}

static void add(struct strbuf *sb, const struct tar_entry *entry, uint64_t offset)
{
	_cleanup_free_ char *name = path_escape(entry->path);
	_cleanup_free_ char *link = entry->link ? path_escape(entry->link) : NULL;

	if (link)
		strbuf_addf(sb, "link %s %s\n", link, name);
	else if (entry->type == TAR_FILE && !entry->is_sparse)
		strbuf_addf(sb, "file %llu %llu %s\n", (unsigned long long) offset,
			    (unsigned long long) entry->size, name);
}

int tar_index(int fd, struct strbuf *ret, struct err *e)
{
	_cleanup_free_ uint8_t *buf = xmalloc(PIECE);
	struct file_source s = {.fd = fd, .buf = buf};
	const struct tar_entry *entry;
	size_t n = 0;
	struct tar *t;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "look");
	s.size = (uint64_t) st.st_size;
	t = tar_new(next_piece, &s);
	tar_set_lenient(t);
	tar_set_seek(t, seek);
	while ((r = tar_next(t, &entry, e)) > 0) {
		if (++n > TAR_INDEX_ENTRIES_MAX || ret->len > TAR_INDEX_TEXT_MAX) {
			r = err_set(e, E2BIG, "the archive has more than %d entries", TAR_INDEX_ENTRIES_MAX);
			break;
		}
		add(ret, entry, s.pos - tar_unused(t));
	}
	tar_free(t);
	return r;
}
