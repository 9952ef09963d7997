/*
 * pty: runs a command on a terminal of its own and plays its user.
 *
 *	pty STEP... -- COMMAND [ARG...]
 *
 *	expect:TEXT	wait until the command has printed TEXT behind what was expected before
 *	send:TEXT	type it; in both, \r \n \xHH are escapes
 *	size:ROWSxCOLS	change the terminal's size
 *	signal:NUMBER	to the command
 *	stopped:	wait until the command has stopped (SIGSTOP and its kin)
 *	raw: cooked:	wait until the terminal passes on single keys, or whole lines
 *
 * What was printed goes to standard output, then a line "terminal=same" or "terminal=changed": whether
 * its settings are what they were before.  The exit status is the command's, 128 + signal, or 125 when a
 * step could not be made within a minute.
 */
#define _GNU_SOURCE /* memmem */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOM (1 << 20)
#define PATIENCE_S 60

static char seen[ROOM];
static size_t n_seen, expected;
static int master, slave;
static pid_t child;
static bool ended;
static int status;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Take what there is; waits a little for it. */
static void pump(void)
{
	struct pollfd p = {.fd = master, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, 20) <= 0 || !(p.revents & POLLIN) || n_seen == sizeof seen)
		return;
	n = read(master, seen + n_seen, sizeof seen - n_seen);
	if (n > 0)
		n_seen += (size_t) n;
}

static bool is_raw(void)
{
	struct termios t;

	return tcgetattr(slave, &t) == 0 && !(t.c_lflag & ICANON);
}

/* One character of a step's text, escapes undone; moves behind it. */
static char next(const char **s)
{
	char c = *(*s)++;

	if (c != '\\')
		return c;
	c = *(*s)++;
	if (c == 'x') {
		char hex[3] = {(*s)[0], (*s)[1], 0};

		*s += 2;
		return (char) strtol(hex, NULL, 16);
	}
	return c == 'r' ? '\r' : '\n';
}

static bool has(const char *text)
{
	char plain[256], *at;
	size_t n = 0;

	while (*text && n < sizeof plain)
		plain[n++] = next(&text);
	at = memmem(seen + expected, n_seen - expected, plain, n);
	if (at)
		expected = (size_t) (at - seen) + n;
	return at;
}

static bool has_stopped(void)
{
	int st;

	return waitpid(child, &st, WUNTRACED | WNOHANG) == child && WIFSTOPPED(st);
}

/* In one piece, as far as it goes: who reads it is not to wait for us between two keys. */
static void send_text(const char *s)
{
	char keys[1024];
	size_t n = 0, sent = 0;

	while (*s && n < sizeof keys)
		keys[n++] = next(&s);
	while (sent < n) {
		ssize_t w = write(master, keys + sent, n - sent);

		if (w > 0)
			sent += (size_t) w;
		else
			pump();
	}
}

static void set_size(const char *text)
{
	struct winsize ws = {0};

	if (sscanf(text, "%hux%hu", &ws.ws_row, &ws.ws_col) == 2)
		ioctl(master, TIOCSWINSZ, &ws);
}

/* One look at what is waited for. */
static bool has_happened(const char *word, const char *arg)
{
	if (!strncmp(word, "expect:", 7))
		return has(arg);
	if (!strncmp(word, "raw:", 4))
		return is_raw();
	if (!strncmp(word, "cooked:", 7))
		return !is_raw();
	return !strncmp(word, "stopped:", 8) && has_stopped();
}

static bool step(const char *word)
{
	int64_t until = now_ms() + PATIENCE_S * 1000;
	const char *arg = strchr(word, ':');

	if (!arg)
		return false;
	arg++;
	if (!strncmp(word, "send:", 5))
		send_text(arg);
	else if (!strncmp(word, "size:", 5))
		set_size(arg);
	else if (!strncmp(word, "signal:", 7))
		kill(child, (int) strtol(arg, NULL, 10));
	else {
		while (!has_happened(word, arg)) {
			if (now_ms() > until)
				return false;
			pump();
		}
	}
	return true;
}

static void finish(void)
{
	int64_t until = now_ms() + PATIENCE_S * 1000;

	while (!ended && now_ms() < until) {
		pump();
		ended = waitpid(child, &status, WNOHANG) == child;
	}
	if (!ended) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	for (size_t before = n_seen + 1; before != n_seen;) {
		before = n_seen;
		pump();
	}
}

int main(int argc, char **argv)
{
	struct winsize ws = {.ws_row = 24, .ws_col = 80};
	struct termios first, last;
	bool failed = false;
	int i = 1;

	if (openpty(&master, &slave, NULL, NULL, &ws) < 0 || tcgetattr(slave, &first) < 0)
		return 125;
	while (i < argc && strcmp(argv[i], "--"))
		i++;
	if (i + 1 >= argc)
		return 125;
	child = fork();
	if (child == 0) {
		close(master);
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		if (slave > 2)
			close(slave);
		execvp(argv[i + 1], argv + i + 1);
		_exit(127);
	}
	fcntl(master, F_SETFL, O_NONBLOCK);
	for (int k = 1; k < i && !failed; k++)
		if (!step(argv[k])) {
			fprintf(stderr, "pty: never: %s\n", argv[k]);
			kill(child, SIGKILL);
			failed = true;
		}
	finish();
	tcgetattr(slave, &last);
	fwrite(seen, 1, n_seen, stdout);
	printf("\nterminal=%s\n", memcmp(&first, &last, sizeof first) ? "changed" : "same");
	if (failed)
		return 125;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
