/*
 * Our own terminal, under --interactive: every key goes to the app's terminal, which does with it what
 * ours did before.  However we end, it is as it was: all that could end us without a word is blocked
 * (main.c), and a crash of ours would not find its way back in any case.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stage1/monitor/monitor.h"

static bool set_raw(const struct monitor *m)
{
	struct termios raw = m->saved;

	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_raw(struct monitor *m)
{
	if (m->pty >= 0 && !m->raw && tcgetattr(STDIN_FILENO, &m->saved) == 0)
		m->raw = set_raw(m);
}

void terminal_restore(struct monitor *m)
{
	if (m->raw)
		(void) tcsetattr(STDIN_FILENO, TCSADRAIN, &m->saved);
	m->raw = false;
}

void terminal_resize(const struct monitor *m)
{
	struct winsize ws;

	if (m->pty >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0)
		(void) ioctl(m->pty, TIOCSWINSZ, &ws);
}

void terminal_continue(struct monitor *m)
{
	/* Not what it is now, which a shell or we ourselves have set, is what it is to be in the end. */
	if (m->raw)
		(void) set_raw(m);
	terminal_resize(m);
}

void terminal_stop(struct monitor *m)
{
	terminal_restore(m);
	(void) raise(SIGSTOP);
	terminal_raw(m);
	terminal_resize(m);
}
