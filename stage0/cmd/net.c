/*
 * gantry net list|status|check|gc: the networks of this host and of its pods.  The work is done by the
 * network runtime of the installed stage1, a program of its own; stage0 knows no CNI.
 */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/pod.h"

#define PROGRAM "stage1/ns/rootfs/net"

struct target {
	bool repair, no_legend;
	char *format;
	char **net_dirs;
};

#define NET_DIR                                                                                    \
	{.name = "net-dir", .type = OPT_STRV, .offset = offsetof(struct target, net_dirs),        \
	 .arg = "DIR", .help = "networks of this directory too, after those of net.d"}

/* One call of the program; its exit status is ours, its messages name the network. */
static int call(const struct gantry *g, char *const *argv, int cwd, struct err *e)
{
	_cleanup_free_ char *program = path_join(g->libexec, PROGRAM);
	struct spawn sp = SPAWN_INIT;
	pid_t pid;
	int st;

	sp.path = program;
	sp.argv = argv;
	sp.env = environ;
	sp.cwd_fd = cwd;
	(void) fflush(stdout);
	pid = proc_spawn(&sp, NULL, e);
	if (pid < 0)
		return pid;
	st = proc_wait(pid);
	return st < 0 ? err_sysr(e, st, "wait for %s", PROGRAM) : proc_status(st);
}

static char **argv_of(const struct gantry *g, const char *verb)
{
	char **argv = NULL;

	strv_add(&argv, "net");
	strv_add(&argv, verb);
	strv_push(&argv, xasprintf("--local-config=%s", g->local_config));
	return argv;
}

static int on_networks(const struct gantry *g, const char *verb, const struct target *t,
		       const char *option, char *const *words, struct err *e)
{
	_cleanup_strv_ char **argv = argv_of(g, verb);

	for (char *const *d = t->net_dirs; d && *d; d++)
		strv_push(&argv, xasprintf("--net-dir=%s", *d));
	if (option)
		strv_add(&argv, option);
	for (char *const *w = words; w && *w; w++)
		strv_add(&argv, *w);
	return call(g, argv, -EBADF, e);
}

/* --- list --- */

static const struct opt list_opts[] = {
	NET_DIR,
	{.name = "no-legend", .type = OPT_FLAG, .offset = offsetof(struct target, no_legend),
	 .help = "no line of titles"},
	{.name = "format", .type = OPT_STRING, .offset = offsetof(struct target, format),
	 .arg = "json", .help = "json"},
};

static int run_list(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct target *t = target;

	if (strv_len(words))
		return err_set(e, EINVAL, "unexpected argument %s", q(words[0]));
	if (t->format && !str_eq(t->format, "json"))
		return err_set(e, EINVAL, "--format %s: json", q(t->format));
	return on_networks(g, "list", t,
			   t->format      ? "--json"
			   : t->no_legend ? "--no-legend"
					  : NULL,
			   NULL, e);
}

static void done(void *target)
{
	struct target *t = target;

	free(t->format);
	strv_free(t->net_dirs);
}

const struct command cmd_net_list = {
	.name = "net list",
	.usage = "[options]",
	.summary = "list the networks that pods can join",
	COMMAND_OPTS(list_opts),
	.target_size = sizeof(struct target),
	.run = run_list,
	.done = done,
};

/* --- status, gc --- */

static const struct opt dir_opts[] = {NET_DIR};

static int run_status(struct gantry *g, void *target, char *const *words, struct err *e)
{
	return on_networks(g, "status", target, NULL, words, e);
}

const struct command cmd_net_status = {
	.name = "net status",
	.usage = "[options] [NETWORK...]",
	.summary = "ask the plugins whether networks are ready for pods",
	COMMAND_OPTS(dir_opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.run = run_status,
	.done = done,
};

static int run_gc(struct gantry *g, void *target, char *const *words, struct err *e)
{
	_cleanup_free_ char *option = xasprintf("--data-dir=%s", g->data_dir);

	return on_networks(g, "gc", target, option, words, e);
}

const struct command cmd_net_gc = {
	.name = "net gc",
	.usage = "[options] [NETWORK...]",
	.summary = "release what no pod has any more",
	.details = "\tAsks the plugins of the networks (all, or the named ones) to release what is not of a pod\n"
		   "\tof this data directory or of a running one: leases, rules, links.\n",
	COMMAND_OPTS(dir_opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.run = run_gc,
	.done = done,
};

/* --- check --- */

static const struct opt check_opts[] = {
	{.name = "repair", .type = OPT_FLAG, .offset = offsetof(struct target, repair),
	 .help = "put back rules that somebody removed, then check"},
};

static int check_pod(const struct gantry *g, const struct pod *p, bool repair, struct err *e)
{
	char *argv[] = {(char *) "net", (char *) "check", (char *) p->uuid, NULL, NULL};

	if (repair)
		argv[3] = (char *) "--repair";
	return call(g, argv, p->dir, e);
}

/* Those that run and, with a word, those only. */
static int check_word(const struct gantry *g, int pods, const char *word, const struct target *t,
		      struct err *e)
{
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_find(pods, word, &p, e);

	if (r == 0 && p.state != POD_STATE_RUNNING)
		return err_set(e, EINVAL, "pod %s isn't currently running", q(p.uuid));
	return r < 0 ? r : check_pod(g, &p, t->repair, e);
}

static int check_running(const struct gantry *g, int pods, const char *uuid,
			 const struct target *t, struct err *e)
{
	_cleanup_pod_ struct pod p = POD_INIT;
	int r = pod_open(pods, uuid, &p, e);

	if (r == -ENOENT) {
		err_done(e);
		return 0; /* it ended meanwhile */
	}
	return r < 0 || p.state != POD_STATE_RUNNING ? r : check_pod(g, &p, t->repair, e);
}

static int run_check(struct gantry *g, void *target, char *const *words, struct err *e)
{
	_cleanup_fd_ int pods = pods_open(g, true, e);
	_cleanup_strv_ char **running = NULL;
	bool named = strv_len(words);
	int failed = 0, r = 0;

	if (pods < 0 && pods != -ENOENT)
		return pods;
	if (!named)
		r = pods_list(pods, 1u << PHASE_RUN, &running, e);
	if (r < 0)
		return r;
	for (char *const *w = named ? words : running; w && *w; w++) {
		_cleanup_err_ struct err why = ERR_INIT;

		r = named ? check_word(g, pods, *w, target, &why)
			  : check_running(g, pods, *w, target, &why);
		if (r < 0)
			log_error("%s", err_text(&why));
		failed += r != 0;
	}
	return failed ? err_set(e, EIO, "the networks of %d pod(s) are not as they should be", failed)
		      : 0;
}

const struct command cmd_net_check = {
	.name = "net check",
	.usage = "[--repair] [UUID|NAME...]",
	.summary = "check, and repair, the networks of running pods",
	.details = "\tAsks the plugins whether everything that connects the pods is there: links, addresses,\n"
		   "\troutes, leases, rules of the firewall.  --repair puts back what a firewall's reload took.\n",
	COMMAND_OPTS(check_opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.run = run_check,
};
