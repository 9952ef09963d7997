#include "stage0/image/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/worker/arriving.h"

#define CHUNK (4u << 20)
#define COPY_BUFFER (256u << 10)

ssize_t feed_some(struct feed *f, size_t max, struct err *e)
{
	ssize_t n;
	int r;

	if (!f->no_copy_range) {
		size_t some = max < CHUNK ? max : CHUNK;

		n = f->is_pipe ? splice(f->from, NULL, f->to, NULL, some, SPLICE_F_MOVE)
			       : copy_file_range(f->from, NULL, f->to, NULL, some, 0);
		/*
		 * A file of /proc says 0 at once; such a thing is no image, but it need not look
		 * empty.
		 */
		if (n > 0 || (n == 0 && (f->is_pipe || f->total)))
			return n;
		if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
			return err_sys(e, "copy image");
		f->no_copy_range = true;
		f->buffer = xmalloc(COPY_BUFFER);
	}
	n = read(f->from, f->buffer, max < COPY_BUFFER ? max : COPY_BUFFER);
	if (n < 0)
		return err_sys(e, "read image");
	r = write_all(f->to, f->buffer, (size_t) n);
	return r < 0 ? err_sysr(e, r, "write image") : n;
}

void feed_done(struct feed *f)
{
	free(f->buffer);
	f->buffer = NULL;
}

int feed_reader_new(struct feed_reader *r, int *ret_read_end, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	(void) fd_set_nonblock(fds[1]);
	r->progress = fds[1];
	*ret_read_end = fds[0];
	return 0;
}

void feed_tell(const struct feed *f, struct feed_reader *r)
{
	uint64_t message = f->total | (f->whole ? ARRIVING_WHOLE : 0);

	if (r->progress < 0 || r->told == message)
		return;
	if (write(r->progress, &message, sizeof message) == sizeof message)
		r->told = message;
	else if (errno != EAGAIN && errno != EINTR) /* it is gone; its end will be noticed */
		r->progress = fd_close(r->progress);
	if (f->whole && r->told == message)
		r->progress = fd_close(r->progress);
}
