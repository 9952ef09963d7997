/*
 * How probe behaves: commands that end, wait, take resources, or answer signals.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static int load_exit(int argc, char **argv)
{
	(void)argc;
	fflush(stdout);
	_exit((int)parse_number(argv[0], 0, 255));
}

static int load_die(int argc, char **argv)
{
	int sig = (int)parse_number(argv[0], 1, 64);

	(void)argc;
	fflush(stdout);
	signal(sig, SIG_DFL);
	raise(sig);
	return 125;
}

static int load_sleep(int argc, char **argv)
{
	struct timespec left = { .tv_sec = parse_number(argv[0], 0, 86400) };

	(void)argc;
	fflush(stdout);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
	return 0;
}

static int load_pause(int argc, char **argv)
{
	(void)argc, (void)argv;
	fflush(stdout);
	while (pause() < 0)
		;
	return 0;
}

static int load_ignore(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		signal((int)parse_number(argv[i], 1, 64), SIG_IGN);
	return 0;
}

static volatile sig_atomic_t goodbye_status;
static const char *goodbye_text;

static void goodbye(int sig)
{
	(void)sig;
	if (write(1, goodbye_text, strlen(goodbye_text)) < 0 || write(1, "\n", 1) < 0)
		_exit(125);
	_exit(goodbye_status);
}

static int load_on(int argc, char **argv)
{
	(void)argc;
	goodbye_text = argv[1];
	goodbye_status = (int)parse_number(argv[2], 0, 255);
	signal((int)parse_number(argv[0], 1, 64), goodbye);
	return 0;
}

static int load_out(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("%s%s", i ? " " : "", argv[i]);
	putchar('\n');
	fflush(stdout);
	return 0;
}

static int load_err(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		fprintf(stderr, "%s%s", i ? " " : "", argv[i]);
	fputc('\n', stderr);
	return 0;
}

static int load_lines(int argc, char **argv)
{
	long n = parse_number(argv[0], 0, 10000000);

	(void)argc;
	for (long i = 1; i <= n; i++)
		printf("line %ld of %ld\n", i, n);
	return 0;
}

static int load_stdin(int argc, char **argv)
{
	char buf[4096];
	ssize_t n, total = 0;

	(void)argc, (void)argv;
	fflush(stdout);
	while ((n = read(0, buf, sizeof(buf))) > 0) {
		if (write(1, buf, (size_t)n) != n)
			return 125;
		total += n;
	}
	printf("stdin=%zd\n", total);
	return 0;
}

/* Touch every page, in steps of 1 MiB so that the last number printed says how far it went. */
static int load_eat(int argc, char **argv)
{
	long n = parse_number(argv[0], 1, 65536);

	(void)argc;
	for (long i = 1; i <= n; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return report("eat", -1, errno);
		memset(p, (int)i, 1 << 20);
	}
	printf("ate=%ld\n", n);
	return 0;
}

/* Children that only wait; says how many could be made, then ends them. */
static int load_forks(int argc, char **argv)
{
	long n = parse_number(argv[0], 1, 4096), made = 0;
	pid_t pids[4096];

	(void)argc;
	fflush(stdout);
	while (made < n) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (!pid)
			for (;;)
				pause();
		pids[made++] = pid;
	}
	printf("forks=%ld %s\n", made, made < n ? errno_name(errno) : "all");
	for (long i = 0; i < made; i++)
		kill(pids[i], SIGKILL);
	for (long i = 0; i < made; i++)
		waitpid(pids[i], NULL, 0);
	return 0;
}

/* Grandchildren without a parent: PID 1 of the pod inherits them, and must reap what exits. */
static int load_orphans(int argc, char **argv)
{
	long n = parse_number(argv[0], 1, 4096);

	fflush(stdout);
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid) {
			if (!fork() && argc > 1)
				for (;;)
					pause();
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	printf("orphans=%ld\n", n);
	return 0;
}

static int load_spin(int argc, char **argv)
{
	time_t end = time(NULL) + parse_number(argv[0], 0, 86400);

	(void)argc;
	fflush(stdout);
	while (time(NULL) < end)
		;
	return 0;
}

/* Wait until a path exists: how tests let two sides meet without a clock. */
static int load_await(int argc, char **argv)
{
	struct timespec step = { .tv_nsec = 20000000 };

	(void)argc;
	fflush(stdout);
	while (access(argv[0], F_OK) < 0)
		nanosleep(&step, NULL);
	return 0;
}

const struct command load_commands[] = {
	{ "exit", 1, load_exit, "STATUS" },
	{ "die", 1, load_die, "SIGNAL: of it" },
	{ "sleep", 1, load_sleep, "SECONDS" },
	{ "pause", 0, load_pause, "for ever" },
	{ "ignore", 1, load_ignore, "SIGNAL..." },
	{ "on", 3, load_on, "SIGNAL TEXT STATUS: print TEXT and exit at SIGNAL" },
	{ "out", 0, load_out, "WORD...: to standard output" },
	{ "err", 0, load_err, "WORD...: to standard error" },
	{ "lines", 1, load_lines, "N" },
	{ "stdin", 0, load_stdin, "copy standard input and count it" },
	{ "eat", 1, load_eat, "MIB: of memory" },
	{ "forks", 1, load_forks, "N: how many children can there be" },
	{ "orphans", 1, load_orphans, "N [stay]: leave children to PID 1" },
	{ "spin", 1, load_spin, "SECONDS: of processor time" },
	{ "await", 1, load_await, "PATH: until it exists" },
	{ NULL, 0, NULL, NULL },
};
