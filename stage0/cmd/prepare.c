/*
 * gantry prepare: everything of run but the run. The UUID is the last line on standard output.
 */
#include <errno.h>

#include "stage0/cli/apps.h"
#include "stage0/command.h"
#include "stage0/kube/kube.h"
#include "stage0/pod/prepare.h"

struct target {
	struct pod_request pod;
	struct stage1_request stage1;
	bool quiet;
};

static const struct opt own_opts[] = {
	STAGE1_OPTS(struct target, stage1),
	{.name = "quiet", .type = OPT_FLAG, .offset = offsetof(struct target, quiet),
	 .help = "print the UUID only"},
};

static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	struct target *t = target;

	(void) words;
	return apps_parse(g, cmd, c, t, &t->pod, NULL, e);
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_prepared_ struct prepared p = PREPARED_INIT;
	struct prepare how = {.request = &t->pod, .stage1 = &t->stage1, .durable = true};
	struct kube_run of_pod = {0};
	bool is;
	int r = pod_request_check(&t->pod, e);

	(void) words;
	if (r == 0)
		r = kube_expand(g, &t->pod, &of_pod, &is, e);
	if (r == 0 && of_pod.host_network)
		r = err_set(e, EINVAL, "spec.hostNetwork: networks are chosen when a pod is run "
				       "(run-prepared --net=host)");
	if (r == 0 && of_pod.host_dns)
		r = err_set(e, EINVAL, "spec.dnsPolicy Default: name servers are chosen when a pod is run "
				       "(run-prepared --dns=host)");
	if (r == 0)
		r = pod_prepare(g, &how, &p, e);
	if (r == 0)
		r = kube_make_paths(&of_pod, e);
	kube_run_done(&of_pod);
	if (r == 0)
		r = pod_move(&p.pod, PHASE_PREPARED, true, e);
	if (r == 0)
		printf("%s\n", p.pod.uuid);
	return r;
}

static const struct help_table help_tables[] = {
	{"OPTIONS OF THE POD", pod_request_opts, &n_pod_request_opts},
	{"OPTIONS OF AN APP (behind its image)", app_request_opts, &n_app_request_opts},
	{0},
};

static void done(void *target)
{
	struct target *t = target;

	pod_request_done(&t->pod);
	stage1_request_done(&t->stage1);
}

const struct command cmd_prepare = {
	.name = "prepare",
	.usage = "[options] IMAGE [app options] [-- ARG... [---]] [IMAGE ...]"
		 " | --pod-manifest=PATH",
	.summary = "make a pod without running it, print its UUID",
	COMMAND_OPTS(own_opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.help_tables = help_tables,
	.parse = parse,
	.run = run,
	.done = done,
};
