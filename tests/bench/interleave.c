/*
 * interleave.c - time several commands against each other, round by round.
 *
 *   interleave [-n ROUNDS] [-w WARM-UP] [-s SUBJECT] [-t PEER=RATIO]... <PLAN
 *
 * The plan has one row per line, fields separated by tabs:
 *   NAME  COUNT  PARALLEL  MOUNT-NAMESPACE|-  PREPARE|-  COMMAND
 * COMMAND is split at blanks (no shell is in the clock); "&&" as a word separates steps; %i becomes
 * a number that no other item of the run has, %s that number modulo 64 (a slot that no other item
 * has at the time). It is run COUNT times, PARALLEL at a time, in the
 * mount namespace that the given file stands for; figures are per item. PREPARE goes to sh before
 * the clock starts.
 *
 * Wall time ends with the last command's exit. CPU is user + system of all descendants: this
 * process is a subreaper and waits for what a command leaves behind and what ends soon after it,
 * so that a runtime cannot hide work in a daemon that it forks off.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
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

#define MAX_ROWS 16
#define MAX_ROUNDS 1000
#define MAX_WORDS 256
#define MAX_TARGETS 16
#define STEP_SECONDS 60	   /* a step that takes longer is killed and counts as failed */
#define SETTLE_MS 3000
#define SLOTS 64

struct row {
	char *name, *namespace, *prepare, *command;
	int count, parallel, failed;
	double wall[MAX_ROUNDS], cpu[MAX_ROUNDS];
};

struct target {
	char *peer;
	double ratio;
};

static struct row rows[MAX_ROWS];
static struct target targets[MAX_TARGETS];
static int row_count, target_count, rounds = 20, warm = 2;
static const char *subject = "gantry";
static atomic_int *next_item;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double children_cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

_Noreturn static void die(const char *what)
{
	perror(what);
	exit(2);
}

static char *field(char **line)
{
	char *f = strsep(line, "\t\n");

	if (!f) {
		(void)fputs("interleave: a row of the plan has too few fields\n", stderr);
		exit(2);
	}
	return strdup(f);
}

static void read_plan(void)
{
	char *line = NULL, *at;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0 && row_count < MAX_ROWS) {
		struct row *r = &rows[row_count++];

		at = line;
		r->name = field(&at);
		r->count = (int)strtol(field(&at), NULL, 10);
		r->parallel = (int)strtol(field(&at), NULL, 10);
		r->namespace = field(&at);
		r->prepare = field(&at);
		r->command = field(&at);
	}
	free(line);
}

/* Role: the command, up to its exec; input and output are /dev/null, BENCH_STDERR=1 shows errors. */
_Noreturn static void become(char **argv, int ns)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (ns >= 0 && setns(ns, CLONE_NEWNS) < 0)
		_exit(126);
	for (int fd = 0; fd < (getenv("BENCH_STDERR") ? 2 : 3); fd++)
		(void)dup2(null, fd);
	execvp(argv[0], argv);
	_exit(127);
}

/* vfork, so that the price of a start does not depend on this process. */
static pid_t spawn(char **argv, int ns)
{
	pid_t pid = vfork();

	if (pid == 0)
		become(argv, ns);
	if (pid < 0)
		die("vfork");
	return pid;
}

/* Wait for one child, reaping whatever else ends meanwhile; kill it when it takes too long. */
static int wait_for(pid_t pid)
{
	double end = now_ms() + STEP_SECONDS * 1e3;
	sigset_t chld;
	int status;
	pid_t got;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		while ((got = waitpid(-1, &status, WNOHANG)) > 0)
			if (got == pid)
				return status;
		if (got < 0)
			return -1;
		if (now_ms() > end)
			(void)kill(pid, SIGKILL);
		(void)sigtimedwait(&chld, NULL, &(struct timespec){ .tv_sec = 1 });
	}
}

static int run_steps(char **words, int ns)
{
	int status = 0;

	while (*words && status == 0) {
		char **step = words;

		while (*words && strcmp(*words, "&&") != 0)
			words++;
		if (*words)
			*words++ = NULL;
		status = wait_for(spawn(step, ns));
	}
	return status;
}

/* Split the command, with %i and %s replaced; the words point into static memory until the next call. */
static char **split(const char *command, int item)
{
	static char buf[8192], *words[MAX_WORDS];
	size_t len = 0;
	int n = 0;

	for (const char *p = command; *p && len < sizeof(buf) - 16; p++) {
		if (p[0] == '%' && (p[1] == 'i' || p[1] == 's')) {
			len += (size_t)snprintf(buf + len, 16, "%d", p[1] == 'i' ? item : item % SLOTS);
			p++;
		} else {
			buf[len++] = *p;
		}
	}
	buf[len] = '\0';
	for (char *at = buf, *w; (w = strsep(&at, " ")) && n < MAX_WORDS - 1;)
		if (*w)
			words[n++] = w;
	words[n] = NULL;
	return words;
}

/* Role: one of "parallel" workers; takes items until none is left. */
static int work(const struct row *r, int ns, int end)
{
	int bad = 0, item;

	while ((item = atomic_fetch_add(next_item, 1)) < end)
		if (run_steps(split(r->command, item), ns) != 0)
			bad = 1;
	return bad;
}

static int run_items(const struct row *r, int ns)
{
	int first = atomic_load(next_item), end = first + r->count, bad = 0;
	pid_t pids[64];

	if (r->parallel <= 1)
		return work(r, ns, end);
	for (int i = 0; i < r->parallel && i < 64; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(work(r, ns, end));
		if (pids[i] < 0)
			die("fork");
	}
	for (int i = 0; i < r->parallel && i < 64; i++) {
		int status;

		while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
			;
		bad |= status;
	}
	return bad;
}

/* What a command left behind ends in its own time: wait, so that its CPU is counted here. */
static void settle(void)
{
	double end = now_ms() + SETTLE_MS;

	for (;;) {
		pid_t got = waitpid(-1, NULL, WNOHANG);

		if (got < 0 || (got == 0 && now_ms() > end))
			return;
		if (got == 0)
			poll(NULL, 0, 1);
	}
}

static void prepare(const struct row *r)
{
	char *argv[] = { "sh", "-c", r->prepare, NULL };

	if (strcmp(r->prepare, "-") == 0)
		return;
	(void)wait_for(spawn(argv, -1));
	settle();
}

static void measure(struct row *r, int round)
{
	int ns = -1, bad;
	double cpu, start, wall;

	if (strcmp(r->namespace, "-") != 0 && (ns = open(r->namespace, O_RDONLY | O_CLOEXEC)) < 0)
		die(r->namespace);
	prepare(r);
	cpu = children_cpu_ms();
	start = now_ms();
	bad = run_items(r, ns);
	wall = now_ms() - start;
	settle();
	if (ns >= 0)
		close(ns);
	/* Workers ask beyond the end; the numbers that they drew are not used again. */
	if (round < 0)
		return;
	r->wall[round] = wall / r->count;
	r->cpu[round] = (children_cpu_ms() - cpu) / r->count;
	r->failed += bad != 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *sorted)
{
	return (sorted[(rounds - 1) / 2] + sorted[rounds / 2]) / 2;
}

static void print_table(void)
{
	const struct row *base = &rows[0];

	printf("  %-34s %9s %9s %9s %9s   %6s %6s\n", "", "wall ms", "least", "most", "CPU ms",
	       "x wall", "x CPU");
	for (int i = 0; i < row_count; i++) {
		const struct row *r = &rows[i];
		double wall = median(r->wall), cpu = median(r->cpu);

		printf("  %-34s %9.2f %9.2f %9.2f %9.2f   %6.2f %6.2f", r->name, wall, r->wall[0],
		       r->wall[rounds - 1], cpu, wall / median(base->wall),
		       cpu / median(base->cpu));
		if (r->failed)
			printf("  FAILED in %d of %d rounds", r->failed, rounds);
		putchar('\n');
	}
}

static const struct target *target_of(const char *peer)
{
	for (int i = 0; i < target_count; i++)
		if (strcmp(targets[i].peer, peer) == 0)
			return &targets[i];
	return NULL;
}

static void print_subject(void)
{
	const struct row *s = NULL;

	for (int i = 0; i < row_count; i++)
		if (strcmp(rows[i].name, subject) == 0)
			s = &rows[i];
	if (!s || row_count < 2)
		return;
	printf("\n  %-30s %9s %9s %9s\n", subject, "CPU", "wall", "at most");
	for (int i = 0; i < row_count; i++) {
		const struct row *r = &rows[i];
		const struct target *t = target_of(r->name);
		double cpu = median(s->cpu) / median(r->cpu);
		double wall = median(s->wall) / median(r->wall);
		char name[64];

		if (r == s)
			continue;
		(void)snprintf(name, sizeof(name), "  / %s", r->name);
		printf("  %-34s %9.3f %9.3f", name, cpu, wall);
		if (t)
			printf(" %9.3f  %s", t->ratio,
			       s->failed || r->failed ? "FAILED" :
			       cpu <= t->ratio && wall <= t->ratio ? "met" :
			       cpu <= t->ratio ? "met in CPU" :
			       wall <= t->ratio ? "met in wall time" : "missed");
		putchar('\n');
	}
}

static void add_target(char *arg)
{
	char *value = strchr(arg, '=');

	if (!value || target_count == MAX_TARGETS) {
		(void)fputs("interleave: -t PEER=RATIO\n", stderr);
		exit(2);
	}
	*value++ = '\0';
	targets[target_count++] = (struct target){ .peer = arg, .ratio = strtod(value, NULL) };
}

int main(int argc, char **argv)
{
	sigset_t chld;
	int opt;

	while ((opt = getopt(argc, argv, "n:w:s:t:")) != -1)
		switch (opt) {
		case 'n': rounds = (int)strtol(optarg, NULL, 10); break;
		case 'w': warm = (int)strtol(optarg, NULL, 10); break;
		case 's': subject = optarg; break;
		case 't': add_target(optarg); break;
		default: return 2;
		}
	if (rounds < 1 || rounds > MAX_ROUNDS)
		return 2;
	read_plan();
	if (row_count == 0) {
		puts("  nothing could be measured");
		return 0;
	}
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &chld, NULL) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("prctl");
	next_item = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (next_item == MAP_FAILED)
		die("mmap");
	for (int round = -warm; round < rounds; round++)
		for (int i = 0; i < row_count; i++)
			measure(&rows[i], round);
	for (int i = 0; i < row_count; i++) {
		qsort(rows[i].wall, (size_t)rounds, sizeof(double), compare);
		qsort(rows[i].cpu, (size_t)rounds, sizeof(double), compare);
	}
	print_table();
	print_subject();
	return 0;
}
