/*
 * gantry restart: a pod that has ended runs again, with what its apps wrote and with its volumes.
 */
#include <errno.h>

#include "base/fd.h"
#include "base/str.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/restart.h"
#include "stage0/pod/run.h"

struct target {
	struct run_request run;
	char *uuid_file;
};

static const struct opt own_opts[] = {
	{.name = "uuid-file", .type = OPT_STRING, .offset = offsetof(struct target, uuid_file),
	 .arg = "PATH",
	 .help = "read the pod's UUID from there"},
};

static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	struct target *t = target;
	const struct opt_table tables[] = {
		{own_opts, ELEMENTSOF(own_opts), t},
		{run_request_opts, n_run_request_opts, &t->run},
		{global_opts, n_global_opts, g},
	};

	(void) cmd;
	return opt_parse_all(c, tables, ELEMENTSOF(tables), false, words, e);
}

/* Ended, and ours. */
static int take_exited(struct pod *p, struct err *e)
{
	if (p->state != POD_STATE_EXITED)
		return err_set(e, EINVAL, "pod \"%s\" is %s: only an exited one can be restarted",
			       p->uuid, pod_state_name(p->state));
	return pod_lock(p) < 0 ? err_set(e, EBUSY, "pod \"%s\" is in use", p->uuid) : 0;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_fd_ int pods = -EBADF;
	int r = run_request_check(&t->run, e);

	if (r == 0)
		r = pod_open_one(g, words, t->uuid_file, &pods, &p, e);
	if (r == 0)
		r = take_exited(&p, e);
	if (r == 0)
		r = stage1_of_pod(p.dir, &s, e);
	if (r == 0 && s.interface < ENTRY_VERSION_APPS)
		r = err_set(e, ENOTSUP, "restart not implemented for pod's stage1");
	if (r == 0 && !t->run.dry_run)
		r = pod_make_runnable(g, &p, e);
	return r < 0 ? r : pod_run(g, &p, &s, &t->run, e);
}

static const struct help_table help_tables[] = {
	{"OPTIONS OF THE RUN", run_request_opts, &n_run_request_opts},
	{0},
};

static void done(void *target)
{
	struct target *t = target;

	run_request_done(&t->run);
	free(t->uuid_file);
}

const struct command cmd_restart = {
	.name = "restart",
	.usage = "[options] UUID|NAME | --uuid-file=PATH",
	.summary = "run a pod that has ended again",
	.details = "\tThe apps start with what they and the runs before wrote; the exit statuses and\n"
		   "\ttimes of the last run are forgotten. What stood on its command line is given\n"
		   "\tagain: networks, names, DNS.\n",
	COMMAND_OPTS(own_opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.help_tables = help_tables,
	.parse = parse,
	.run = run,
	.done = done,
};
