/*
 * gantry run-prepared: of several that try at once, the one whose rename succeeds runs the pod.
 */
#include <errno.h>

#include "base/fd.h"
#include "stage0/cmd/pod_words.h"
#include "stage0/command.h"
#include "stage0/pod/run.h"

static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	const struct opt_table tables[] = {
		{run_request_opts, n_run_request_opts, target},
		{global_opts, n_global_opts, g},
	};

	(void) cmd;
	return opt_parse_all(c, tables, ELEMENTSOF(tables), false, words, e);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	const struct run_request *req = target;
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
	_cleanup_pod_ struct pod p = POD_INIT;
	_cleanup_fd_ int pods = -EBADF;
	int r = run_request_check(req, e);

	if (r < 0)
		return r;
	r = pod_find_one(g, words, &pods, &p, e);
	if (r < 0)
		return r;
	if (p.phase != PHASE_PREPARED || pod_lock(&p) < 0)
		return err_set(e, EINVAL, "pod \"%s\" is not prepared", p.uuid);
	r = stage1_of_pod(p.dir, &s, e);
	if (r < 0)
		return r;
	r = pod_run(g, &p, &s, req, e);
	if (r == -ENOENT)
		r = err_set(e, EINVAL, "pod \"%s\" is not prepared", p.uuid);
	return r;
}

static const struct help_table help_tables[] = {
	{"OPTIONS", run_request_opts, &n_run_request_opts},
	{0},
};

static void done(void *target)
{
	run_request_done(target);
}

const struct command cmd_run_prepared = {
	.name = "run-prepared",
	.usage = "[options] UUID|NAME",
	.summary = "run a pod that was made by prepare",
	.needs_root = true,
	.target_size = sizeof(struct run_request),
	.help_tables = help_tables,
	.parse = parse,
	.run = run,
	.done = done,
};
