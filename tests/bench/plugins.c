/*
 * plugins.c - time CNI plugins: two sets of them, or one set on two hosts, in turn.
 *
 *   plugins [-n ROUNDS] [-w WARM-UP] -s NAME=DIR -s NAME=DIR [-N COUNT] <PLAN
 *
 * The plan has one chain per line, fields separated by tabs:
 *   NAME  RATIO|-  UNTIMED  CONFIGURATION...
 * Each plugin of the chain gets the result of the one before; the first UNTIMED ones are run but not
 * timed.  "@" in a configuration becomes 1 for the first set and 2 for the second, "%" a number from
 * 10000 on that no other attachment has.  Every ADD goes to a network namespace of its own, and is
 * followed by its DEL.  The types "floor-port" and "floor-route" are no programs: plugins_floor.c.
 *
 * -N COUNT: the two sets work on a host (a network namespace) each, and the second host has COUNT
 * attachments by the same chain before the clock starts, each in a namespace of its own as pods are: what
 * one of them sends to all (neighbour discovery) arrives at each alone.
 *
 * CPU is that of the plugin and of whatever it executes and waits for.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugins_floor.h"

#define MAX_ROUNDS 1000
#define MAX_CHAIN 8
#define MAX_CROWD 4000
#define TEXT 65536
#define SETTLE_S 12 /* what the kernel has to say on a thousand new links: DAD, solicitations */

enum { ADD, DEL, COMMANDS };

struct chain {
	char *name, *ratio, *conf[MAX_CHAIN];
	int untimed, n;
};

/* What one set took for one chain. */
struct times {
	double cpu[COMMANDS][MAX_ROUNDS], wall[COMMANDS][MAX_ROUNDS];
};

struct set {
	const char *name, *dir;
	int host; /* network namespace */
};

struct attachment {
	int netns, number;
	char id[32], ifname[16], result[TEXT];
};

static struct set sets[2];
static int set_count, rounds = 20, warm = 2, many;
static int log_fd; /* where the plugins' words on stderr go: some of the reference say all they do */

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int new_netns(void)
{
	int back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	if (back < 0 || unshare(CLONE_NEWNET) < 0)
		err(2, "network namespace");
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(back, CLONE_NEWNET) < 0)
		err(2, "network namespace");
	close(back);
	return fd;
}

static int text_fd(const char *text, size_t len)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, text, len, 0) != (ssize_t)len)
		err(2, "memfd");
	return fd;
}

/* The configuration of this set, with the result so far; returns its length. */
static size_t configuration(char *to, size_t size, const char *conf, int set, const struct attachment *a)
{
	char *at = to;

	if (strlen(conf) * 12 + strlen(a->result) + 32 > size)
		errx(2, "a configuration is too long");

	for (; *conf; conf++)
		if (*conf == '%')
			at += snprintf(at, size - (size_t)(at - to), "%d", a->number);
		else
			*at++ = *conf == '@' ? (char)('1' + set) : *conf;
	if (*a->result) {
		/* In place of the last brace. */
		while (at > to && *--at != '}')
			;
		at += snprintf(at, size - (size_t)(at - to), ",\"prevResult\":%s}", a->result);
	}
	return (size_t)(at - to);
}

/* "type" of a configuration. */
static const char *type_of(const char *conf)
{
	static char type[64];
	const char *at = strstr(conf, "\"type\":\"");

	if (!at || sscanf(at + 8, "%63[^\"]", type) != 1)
		errx(2, "no type in %s", conf);
	return type;
}

_Noreturn static void become(const char *program, int in, int out, int host, char **env)
{
	char *argv[] = {(char *)program, NULL};

	if (setns(host, CLONE_NEWNET) < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(log_fd, 2) < 0)
		_exit(126);
	execve(program, argv, env);
	_exit(127);
}

/* One plugin, once.  Its output goes to a->result when it ADDs. */
static bool run(const struct set *s, int command, const char *conf, struct attachment *a, double *cpu,
		double *wall)
{
	static char text[2 * TEXT], output[TEXT], program[512], vars[5][600];
	char *env[] = {vars[0], vars[1], vars[2], vars[3], vars[4],
		       "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNI_ARGS=", NULL};
	size_t len = configuration(text, sizeof(text), conf, (int)(s - sets), a);
	int in = text_fd(text, len), out = text_fd("", 0), status;
	const char *type = type_of(conf);
	struct rusage used;
	ssize_t got;
	double start;
	pid_t pid;

	snprintf(program, sizeof program, "%s/%s", s->dir, type);
	snprintf(vars[0], sizeof vars[0], "CNI_COMMAND=%s", command == ADD ? "ADD" : "DEL");
	snprintf(vars[1], sizeof vars[1], "CNI_CONTAINERID=%s", a->id);
	snprintf(vars[2], sizeof vars[2], "CNI_NETNS=/proc/%d/fd/%d", getpid(), a->netns);
	snprintf(vars[3], sizeof vars[3], "CNI_IFNAME=%s", strcmp(type, "loopback") ? a->ifname : "lo");
	snprintf(vars[4], sizeof vars[4], "CNI_PATH=%s", s->dir);
	start = now_ms();
	/* vfork: the price of a start must not depend on this process. */
	pid = vfork();
	if (pid == 0 && !strncmp(type, "floor", 5))
		_exit(setns(s->host, CLONE_NEWNET) < 0
			      ? 126
			      : plugins_floor(type, command == ADD, a->netns, a->number));
	if (pid == 0)
		become(program, in, out, s->host, env);
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		err(2, "%s", program);
	*wall += now_ms() - start;
	*cpu += ms(used.ru_utime) + ms(used.ru_stime);
	got = pread(out, output, sizeof output - 1, 0);
	output[got < 0 ? 0 : got] = '\0';
	close(in);
	close(out);
	if (status)
		warnx("%s of %s %s: status %d: %s", vars[0] + 12, s->name, type, status, output);
	else if (command == ADD)
		memcpy(a->result, output, (size_t)got + 1);
	return status == 0;
}

/* ADD or DEL of the chain; the sums of what is timed. */
static bool run_chain(const struct set *s, const struct chain *c, int command, struct attachment *a,
		      double *cpu, double *wall)
{
	bool ok = true;

	for (int i = 0; i < c->n && ok; i++) {
		int at = command == ADD ? i : c->n - 1 - i;
		double no_cpu = 0, no_wall = 0;
		bool timed = at >= c->untimed;

		ok = run(s, command, c->conf[at], a, timed ? cpu : &no_cpu, timed ? wall : &no_wall);
	}
	return ok;
}

static bool measure(const struct set *s, const struct chain *c, int round, struct times *t)
{
	static int number = 30000;
	static struct attachment a;
	bool ok = true;

	a.netns = new_netns();
	a.number = number < 60000 ? ++number : (number = 30000);
	a.result[0] = '\0';
	snprintf(a.id, sizeof a.id, "measured%d", number);
	snprintf(a.ifname, sizeof a.ifname, "eth0");
	for (int command = ADD; command < COMMANDS; command++) {
		double cpu = 0, wall = 0;

		ok = run_chain(s, c, command, &a, &cpu, &wall) && ok;
		if (round >= 0) {
			t->cpu[command][round] = cpu;
			t->wall[command][round] = wall;
		}
	}
	close(a.netns);
	return ok;
}

/* A process that has the namespaces open: a thousand descriptors in this one would be part of every exec. */
static pid_t keep(const int *netns, int n)
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	while (n--)
		close(netns[n]);
	return pid;
}

/* The attachments that the second host has beforehand; *keeper holds their namespaces. */
static bool populate(const struct set *s, const struct chain *c, pid_t *keeper)
{
	static struct attachment a;
	static int netns[MAX_CROWD];
	int n = 0;
	double cpu = 0, wall = 0;
	bool ok = true;

	snprintf(a.ifname, sizeof a.ifname, "eth0");
	for (; n < many && ok; n++) {
		a.netns = netns[n] = new_netns();
		a.result[0] = '\0';
		a.number = 10000 + n;
		snprintf(a.id, sizeof a.id, "resident%d", n);
		ok = run_chain(s, c, ADD, &a, &cpu, &wall);
	}
	*keeper = keep(netns, n);
	return ok;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, (size_t)rounds, sizeof *v, compare);
	return (v[(rounds - 1) / 2] + v[rounds / 2]) / 2;
}

static void print_chain(const struct chain *c, struct times t[2])
{
	static const char *const names[] = {"ADD", "DEL"};

	for (int command = ADD; command < COMMANDS; command++) {
		double cpu0 = median(t[0].cpu[command]), cpu1 = median(t[1].cpu[command]);
		double wall0 = median(t[0].wall[command]), wall1 = median(t[1].wall[command]);
		double most = strcmp(c->ratio, "-") ? strtod(c->ratio, NULL) : 0;
		double x = many ? cpu1 / cpu0 : cpu0 / cpu1, y = many ? wall1 / wall0 : wall0 / wall1;

		printf("  %-26s %s %8.2f %8.2f %8.2f %8.2f   %6.3f %6.3f", command ? "" : c->name,
		       names[command], cpu0, cpu1, wall0, wall1, x, y);
		/* How a DEL grows is shown, and no target. */
		if (most > 0 && !(many && command == DEL))
			printf(" %7.3f  %s", most,
			       x <= most && y <= most ? "met" :
			       x <= most	      ? "met in CPU" :
			       y <= most	      ? "met in wall time" :
							"missed");
		putchar('\n');
	}
	fflush(stdout);
}

static void bench(const struct chain *c)
{
	static struct times t[2];
	pid_t keeper = -1;
	bool ok = true;

	for (int i = 0; i < 2; i++)
		if (many)
			sets[i].host = new_netns();
	if (many) {
		ok = populate(&sets[1], c, &keeper);
		sleep(SETTLE_S);
	}
	for (int round = -warm; round < rounds && ok; round++)
		for (int i = 0; i < 2 && ok; i++)
			/* Who is first changes: what one leaves to the kernel meets the other. */
			ok = measure(&sets[(i + round) & 1], c, round, &t[(i + round) & 1]);
	if (ok)
		print_chain(c, t);
	else
		printf("  %s: failed\n", c->name);
	if (many) {
		kill(keeper, SIGKILL);
		waitpid(keeper, NULL, 0);
		close(sets[0].host);
		close(sets[1].host);
		sleep(SETTLE_S);
	}
}

static bool read_chain(struct chain *c)
{
	static char *line;
	static size_t size;
	char *at, *field;

	if (getline(&line, &size, stdin) <= 0)
		return false;
	at = line;
	*c = (struct chain){.name = strsep(&at, "\t\n"), .ratio = strsep(&at, "\t\n")};
	field = strsep(&at, "\t\n");
	if (!field)
		errx(2, "a line of the plan has too few fields");
	c->untimed = (int)strtol(field, NULL, 10);
	while ((field = strsep(&at, "\t\n")) && *field && c->n < MAX_CHAIN)
		c->conf[c->n++] = field;
	return true;
}

static void add_set(char *arg)
{
	char *dir = strchr(arg, '=');

	if (!dir || set_count == 2)
		errx(2, "-s NAME=DIR, twice");
	*dir++ = '\0';
	sets[set_count++] = (struct set){.name = arg, .dir = dir};
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct chain c;
	int opt, host;

	while ((opt = getopt(argc, argv, "n:w:s:N:")) != -1)
		switch (opt) {
		case 'n': rounds = (int)strtol(optarg, NULL, 10); break;
		case 'w': warm = (int)strtol(optarg, NULL, 10); break;
		case 's': add_set(optarg); break;
		case 'N': many = (int)strtol(optarg, NULL, 10); break;
		default: return 2;
		}
	if (set_count != 2 || rounds < 1 || rounds > MAX_ROUNDS || many > MAX_CROWD)
		errx(2, "two sets, 1 to %d rounds, up to %d attachments", MAX_ROUNDS, MAX_CROWD);
	/* A descriptor for each namespace. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max > files.rlim_cur) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	log_fd = getenv("BENCH_STDERR") ? 2 : open("/dev/null", O_WRONLY | O_CLOEXEC);
	host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (host < 0 || log_fd < 0)
		err(2, "/proc/self/ns/net");
	sets[0].host = sets[1].host = host;
	printf("  %-30s %8.8s %8.8s %8.8s %8.8s   %6s %6s %7s\n", "", sets[0].name, sets[1].name,
	       sets[0].name, sets[1].name, "", "", "");
	printf("  %-30s %8s %8s %8s %8s   %6s %6s %7s\n", "", "CPU ms", "CPU ms", "wall ms", "wall ms",
	       "x CPU", "x wall", "at most");
	while (read_chain(&c))
		bench(&c);
	return 0;
}
