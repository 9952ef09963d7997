/*
 * In the foreground, the apps' output: from the pipes of init to our own 1 and 2.  Those are shared
 * with others and may block, so they are never made non-blocking; instead a piece is written only
 * when poll(2) says that it fits (for a pipe PIPE_BUF bytes, pipe(7)).
 */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/monitor/monitor.h"

/* A terminal promises room for less. */
#define TERMINAL_PIECE 256

static size_t piece_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) ? TERMINAL_PIECE : PIPE_BUF;
}

void relay_copy(struct monitor *m, int which)
{
	int to = which + STDOUT_FILENO;
	char buf[PIPE_BUF];
	ssize_t n = read(m->relay[which], buf, piece_size(to));
	int r;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		m->relay[which] = fd_close(m->relay[which]);
		return;
	}
	r = write_all(to, buf, (size_t) n);
	m->room[which] = false;
	if (r == 0)
		return;
	/*
	 * The logs go on having everything; closing tells init.  But for a command whose reader has
	 * gone away (`run ... | head`) it is time to end, as for any other.
	 */
	m->relay[which] = fd_close(m->relay[which]);
	if (r == -EPIPE && !m->asked)
		ask_to_end(m);
}
