/*
 * The lines of init: `exit N`, `ready` when all apps are, and `error CODE TEXT` when the pod did not start
 * as it should.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/record.h"
#include "stage1/monitor/monitor.h"

static void tell(struct monitor *m, const char *code, const char *text)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	/* The pod is about to end; a line of ours wants a terminal that knows lines. */
	terminal_restore(m);
	if (m->error < 0) {
		log_error("%s", text);
		return;
	}
	record_begin(&sb, 1);
	record_add(&sb, "code", code);
	record_add(&sb, "message", text);
	(void) write_all(m->error, sb.buf, sb.len);
	m->error = fd_close(m->error);
}

static void take_line(struct monitor *m, char *line)
{
	uint64_t n;
	char *space;

	if (!strncmp(line, "exit ", 5) && parse_u64(line + 5, 255, &n) == 0) {
		m->exit_status = (int) n;
	} else if (!strcmp(line, "ready")) {
		notify_manager("READY=1");
	} else if (!strncmp(line, "error ", 6) && (space = strchr(line + 6, ' '))) {
		*space = '\0';
		tell(m, line + 6, space + 1);
	}
}

bool status_read(struct monitor *m)
{
	ssize_t n = read(m->status, m->line + m->line_len, sizeof m->line - 1 - m->line_len);
	char *start = m->line, *eol;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	m->line_len += (size_t) n;
	while ((eol = memchr(start, '\n', m->line_len - (size_t) (start - m->line)))) {
		*eol = '\0';
		take_line(m, start);
		start = eol + 1;
	}
	m->line_len -= (size_t) (start - m->line);
	memmove(m->line, start, m->line_len);
	/* Longer than any of ours: not from init as we know it. */
	if (m->line_len == sizeof m->line - 1)
		m->line_len = 0;
	return true;
}
