/*
 * gantry run: images or a pod manifest to a running pod, in one go.
 */
#include <errno.h>

#include "base/str.h"
#include "stage0/cli/apps.h"
#include "stage0/command.h"
#include "stage0/kube/kube.h"
#include "stage0/pod/prepare.h"
#include "stage0/pod/run.h"

struct target {
	struct pod_request pod;
	struct run_request run;
	struct stage1_request stage1;
	struct kube_run of_pod;
	char *uuid_file_save;
};

static const struct opt own_opts[] = {
	STAGE1_OPTS(struct target, stage1),
	{.name = "uuid-file-save",
	 .type = OPT_STRING, .offset = offsetof(struct target, uuid_file_save), .arg = "PATH",
	 .help = "write the pod's UUID there as soon as its directory is made"},
};

/* The rows of run-prepared work on the part of the target that belongs to them. */
static int parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
		 char ***words, struct err *e)
{
	struct target *t = target;
	const struct opt_table more = {run_request_opts, n_run_request_opts, &t->run};

	(void) words;
	return apps_parse(g, cmd, c, t, &t->pod, &more, e);
}

/* What can be said before anything is fetched or made. */
static int check(struct target *t, struct err *e)
{
	int r = pod_request_check(&t->pod, e);

	if (r == 0)
		r = run_request_check(&t->run, e);
	if (r == 0)
		r = run_request_check_ports(&t->run, t->pod.ports, e);
	if (r == 0 && t->run.interactive && t->pod.n_apps > 1)
		r = err_set(e, EINVAL, "interactive option only supports one image");
	return r;
}

/* A Pod of Kubernetes says some of what the words of run say; these count more. */
static int expand(struct gantry *g, struct target *t, struct err *e)
{
	struct kube_run *of_pod = &t->of_pod;
	bool is;
	int r = kube_expand(g, &t->pod, of_pod, &is, e);

	if (r == 0 && is) {
		if (!t->run.hostname)
			t->run.hostname = take_ptr(of_pod->hostname);
		if (!t->run.nets && of_pod->host_network)
			strv_add(&t->run.nets, "host");
		if (of_pod->host_dns && !t->run.dns && !t->run.dns_search && !t->run.dns_opt && !t->run.dns_domain)
			strv_add(&t->run.dns, "host");
	}
	return r;
}

static int run(struct gantry *g, void *target, char *const *words, struct err *e)
{
	struct target *t = target;
	_cleanup_prepared_ struct prepared p = PREPARED_INIT;
	struct prepare how = {.request = &t->pod, .stage1 = &t->stage1,
			      .uuid_file_save = t->uuid_file_save};
	int r = check(t, e);

	(void) words;
	if (r == 0)
		r = expand(g, t, e);
	if (r == 0)
		r = pod_prepare(g, &how, &p, e);
	if (r == 0)
		r = kube_make_paths(&t->of_pod, e);
	if (r == 0)
		r = pod_run(g, &p.pod, &p.stage1, &t->run, e);
	return r;
}

static const struct help_table help_tables[] = {
	{"OPTIONS OF THE POD", pod_request_opts, &n_pod_request_opts},
	{"OPTIONS OF THE RUN", run_request_opts, &n_run_request_opts},
	{"OPTIONS OF AN APP (behind its image)", app_request_opts, &n_app_request_opts},
	{0},
};

static void done(void *target)
{
	struct target *t = target;

	pod_request_done(&t->pod);
	stage1_request_done(&t->stage1);
	run_request_done(&t->run);
	kube_run_done(&t->of_pod);
	free(t->uuid_file_save);
}

const struct command cmd_run = {
	.name = "run",
	.usage = "[options] IMAGE [app options] [-- ARG... [---]] [IMAGE ...]"
		 " | --pod-manifest=PATH",
	.summary = "run a pod of images or of a pod manifest",
	.details = "\tFetches images that the store lacks, verifies them, makes the pod and runs it in\n"
		   "\tthe foreground: its output is gantry's, its exit status that of the first app that\n"
		   "\tfailed.\n",
	COMMAND_OPTS(own_opts),
	.needs_root = true,
	.target_size = sizeof(struct target),
	.parse = parse,
	.run = run,
	.done = done,
	.help_tables = help_tables,
};
