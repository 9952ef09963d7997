#include "stage0/cli/apps.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "spec/app_port.h"
#include "stage0/command.h"

#define POD(field) offsetof(struct pod_request, field)
#define APP(field) offsetof(struct app_request, field)

/* One table serves run and prepare; each adds its own rows in its command. */
const struct opt pod_request_opts[] = {
	{.name = "volume", .type = OPT_STRV, .offset = POD(volumes), .arg = "NAME,kind=KIND,...",
	 .help = "a volume: kind=host,source=PATH[,readOnly=BOOL][,recursive=BOOL]"
		 " or kind=empty[,mode=][,uid=][,gid=]"},
	{.name = "inherit-env", .type = OPT_FLAG, .offset = POD(inherit_env),
	 .help = "give apps the caller's environment; the image's own wins"},
	{.name = "set-env", .type = OPT_STRV, .offset = POD(set_env), .arg = "K=V",
	 .help = "a variable for all apps"},
	{.name = "set-env-file", .type = OPT_STRV, .offset = POD(set_env_file), .arg = "PATH",
	 .help = "variables for all apps, one K=V a line"},
	{.name = "no-overlay", .type = OPT_FLAG, .offset = POD(no_overlay),
	 .help = "copy the images' trees, do not overlay them"},
	{.name = "pull-policy", .type = OPT_STRING, .offset = POD(pull_policy), .arg = "WORD",
	 .help = "new (the store first), update (the source first), never (the store only)"},
	{.name = "pod-manifest", .type = OPT_STRING, .offset = POD(pod_manifest), .arg = "PATH",
	 .help = "run this pod manifest, or Pod of Kubernetes (YAML or JSON), instead of images"},
	{.name = "configmap", .type = OPT_STRV, .offset = POD(configmaps), .arg = "PATH",
	 .help = "ConfigMaps for the Pod of --pod-manifest"},
	{.name = "port", .type = OPT_STRV, .offset = POD(ports), .arg = "NAME:[IP:]PORT",
	 .help = "a port of the host for the port NAME of an app"},
	{.name = "pod-name", .type = OPT_STRING, .offset = POD(pod_name), .arg = "NAME",
	 .help = "a name that commands take instead of the UUID"},
	{.name = "private-users", .type = OPT_FLAG, .offset = POD(private_users),
	 .help = "users of its own: a user namespace, whose ids are no one else's on the host"},
	{.name = "store-only", .type = OPT_FLAG, .offset = POD(store_only),
	 .instead = "--pull-policy=never"},
	{.name = "no-store", .type = OPT_FLAG, .offset = POD(no_store),
	 .instead = "--pull-policy=update"},
};
const size_t n_pod_request_opts = ELEMENTSOF(pod_request_opts);

const struct opt app_request_opts[] = {
	{.name = "name", .type = OPT_STRING, .offset = APP(name), .arg = "NAME",
	 .help = "name of the app in the pod"},
	{.name = "exec", .type = OPT_STRING, .offset = APP(exec), .arg = "PATH", .once = true,
	 .help = "program instead of the image's; arguments behind -- follow it"},
	{.name = "working-dir", .type = OPT_STRING, .offset = APP(working_dir), .arg = "DIR",
	 .help = "working directory"},
	{.name = "user", .type = OPT_STRING, .offset = APP(user), .arg = "USER",
	 .help = "user: a name, a number, or the owner of a /path"},
	{.name = "group", .type = OPT_STRING, .offset = APP(group), .arg = "GROUP",
	 .help = "group, likewise"},
	{.name = "supplementary-gids", .type = OPT_STRING, .offset = APP(supplementary_gids),
	 .arg = "GID,...",
	 .help = "supplementary groups, numbers"},
	{.name = "readonly-rootfs", .type = OPT_STRING, .offset = APP(read_only_root),
	 .arg = "BOOL",
	 .help = "root file system read-only; volumes stay as they are"},
	{.name = "mount", .type = OPT_STRV, .offset = APP(mounts), .arg = "volume=NAME,target=PATH",
	 .help = "mount a volume; before the first image: in all apps"},
	{.name = "environment", .type = OPT_STRV, .offset = APP(environment), .arg = "K=V",
	 .help = "a variable for this app"},
	{.name = "memory", .type = OPT_STRING, .offset = APP(memory), .arg = "SIZE",
	 .help = "memory limit, like 16Mi"},
	{.name = "cpu", .type = OPT_STRING, .offset = APP(cpu), .arg = "CORES",
	 .help = "CPU limit, like 500m or 1"},
	{.name = "cpu-shares", .type = OPT_STRING, .offset = APP(cpu_shares), .arg = "N",
	 .help = "CPU weight, 2..262144"},
	{.name = "oom-score-adj", .type = OPT_STRING, .offset = APP(oom_score_adj), .arg = "N",
	 .help = "preference of the OOM killer, -1000..1000"},
	/* As rkt's documents call it. */
	{.name = "oom-score-adjust", .type = OPT_STRING, .offset = APP(oom_score_adj), .arg = "N"},
	{.name = "pids", .type = OPT_STRING, .offset = APP(pids), .arg = "N",
	 .help = "limit on processes and threads"},
	{.name = "caps-retain", .type = OPT_STRING, .offset = APP(caps_retain), .arg = "CAP_X,...",
	 .help = "these capabilities only"},
	{.name = "caps-remove", .type = OPT_STRING, .offset = APP(caps_remove), .arg = "CAP_X,...",
	 .help = "the default capabilities without these"},
	{.name = "cap-retain", .type = OPT_STRING, .offset = APP(caps_retain), .arg = "CAP_X,...",
	 .instead = "--caps-retain"},
	{.name = "cap-remove", .type = OPT_STRING, .offset = APP(caps_remove), .arg = "CAP_X,...",
	 .instead = "--caps-remove"},
	{.name = "seccomp", .type = OPT_STRING, .offset = APP(seccomp),
	 .arg = "mode=MODE[,errno=E],CALL,...",
	 .help = "system call filter, mode=retain or mode=remove"},
	{.name = "annotation", .type = OPT_STRV, .offset = APP(annotations), .arg = "K=V",
	 .help = "an appc annotation; before the first image: of the pod"},
	{.name = "user-annotation", .type = OPT_STRV, .offset = APP(user_annotations), .arg = "K=V",
	 .help = "a user annotation; before the first image: of the pod"},
	{.name = "user-label", .type = OPT_STRV, .offset = APP(user_labels), .arg = "K=V",
	 .help = "a user label; before the first image: of the pod"},
	{.name = "signature", .type = OPT_STRING, .offset = APP(signature), .arg = "PATH",
	 .once = true,
	 .help = "detached signature of this image"},
	{.name = "stdin", .type = OPT_STRING, .offset = APP(std_in), .arg = "MODE",
	 .help = "standard input: null, stream or tty (null)"},
	{.name = "stdout", .type = OPT_STRING, .offset = APP(std_out), .arg = "MODE",
	 .help = "standard output: log, null, stream or tty (log)"},
	{.name = "stderr", .type = OPT_STRING, .offset = APP(std_err), .arg = "MODE",
	 .help = "standard error: log, null, stream or tty (log)"},
};
const size_t n_app_request_opts = ELEMENTSOF(app_request_opts);

/* Every value that a table has put into its target. */
static void free_values(const struct opt *opts, size_t n, void *target)
{
	for (size_t i = 0; i < n; i++) {
		char **field = (char **) ((char *) target + opts[i].offset);

		if (opts[i].refused)
			continue;
		if (opts[i].type == OPT_STRING) {
			free(*field);
			*field = NULL;
		} else if (opts[i].type == OPT_STRV) {
			strv_free((char **) *field);
			*field = NULL;
		}
	}
}

static void app_more_free(struct app_more *m)
{
	if (!m)
		return;
	strv_free(m->command);
	strv_free(m->read_only);
	isolators_done(&m->isolators);
	for (size_t i = 0; i < m->n_ports; i++)
		app_port_done(&m->ports[i]);
	free(m->ports);
	free(m->pull_policy);
	free(m);
}

static void app_request_done(struct app_request *a)
{
	free(a->image);
	app_more_free(a->more);
	free_values(app_request_opts, n_app_request_opts, a);
	strv_free(a->args);
}

/* Options of an app that mean something before the first image: then they are for the whole pod. */
static const struct opt global_opts_of_apps[] = {
	{.name = "mount", .type = OPT_STRV, .offset = POD(mounts)},
	{.name = "annotation", .type = OPT_STRV, .offset = POD(annotations)},
	{.name = "user-annotation", .type = OPT_STRV, .offset = POD(user_annotations)},
	{.name = "user-label", .type = OPT_STRV, .offset = POD(user_labels)},
};

void pod_request_done(struct pod_request *req)
{
	for (size_t i = 0; i < req->n_apps; i++)
		app_request_done(&req->apps[i]);
	free(req->apps);
	for (size_t i = 0; i < req->n_more_volumes; i++)
		volume_done(&req->more_volumes[i]);
	free(req->more_volumes);
	for (size_t i = 0; i < req->n_more_ports; i++)
		pod_port_done(&req->more_ports[i]);
	free(req->more_ports);
	for (size_t i = 0; i < req->n_files; i++) {
		free(req->files[i].volume);
		free(req->files[i].name);
		free(req->files[i].content);
	}
	free(req->files);
	isolators_done(&req->isolators);
	free(req->manifest_text);
	free_values(global_opts_of_apps, ELEMENTSOF(global_opts_of_apps), req);
	free_values(pod_request_opts, n_pod_request_opts, req);
}

static struct app_request *last_app(struct pod_request *req)
{
	return req->n_apps ? &req->apps[req->n_apps - 1] : NULL;
}

static void add_app(struct pod_request *req, const char *image)
{
	req->apps = xgrow(req->apps, req->n_apps, sizeof *req->apps);
	req->apps[req->n_apps++] = (struct app_request) {.image = xstrdup(image)};
}

/* "--" to a lone "---": arguments of the image before it. Empty ones are dropped, as rkt does. */
static int read_args(struct pod_request *req, struct opt_cursor *c, struct err *e)
{
	struct app_request *app = last_app(req);

	if (!app)
		return err_set(e, EINVAL, "arguments behind \"--\" must follow an image");
	if (app->has_args)
		return err_set(e, EINVAL, "image %s has arguments behind \"--\" twice",
			       q(app->image));
	app->has_args = true;
	for (; c->pos < c->argc; c->pos++) {
		if (!strcmp(c->argv[c->pos], "---")) {
			c->pos++;
			break;
		}
		if (*c->argv[c->pos])
			strv_add(&app->args, c->argv[c->pos]);
	}
	return 0;
}

static bool has_name(const struct opt *opts, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(opts[i].name) == len && !memcmp(opts[i].name, name, len))
			return true;
	return false;
}

/* An option of an app before any image. */
static int before_image(const struct opt_cursor *c, struct err *e)
{
	const char *word = c->argv[c->pos], *name;
	size_t len;

	if (strncmp(word, "--", 2))
		return 0;
	name = word + 2;
	len = strcspn(name, "=");
	if (!has_name(app_request_opts, n_app_request_opts, name, len) ||
	    has_name(global_opts_of_apps, ELEMENTSOF(global_opts_of_apps), name, len))
		return 0;
	return err_set(e, EINVAL, "--%.*s must follow an image", (int) len, name);
}

int apps_parse(struct gantry *g, const struct command *cmd, struct opt_cursor *c, void *target,
	       struct pod_request *req, const struct opt_table *more, struct err *e)
{
	for (;;) {
		struct app_request *app = last_app(req);
		const struct opt_table of_app = {app_request_opts, n_app_request_opts, app};
		const struct opt_table of_all = {
			global_opts_of_apps, ELEMENTSOF(global_opts_of_apps), req};
		const struct opt_table tables[] = {
			app ? of_app : of_all,
			{cmd->opts, cmd->n_opts, target},
			{pod_request_opts, n_pod_request_opts, req},
			{global_opts, n_global_opts, g},
			{more ? more->opts : NULL, more ? more->n : 0, more ? more->target : NULL},
		};
		const struct opt *opt = NULL;
		const char *word = NULL;
		int kind = app || c->pos >= c->argc ? 0 : before_image(c, e);

		if (kind == 0)
			kind = opt_next(c, tables, ELEMENTSOF(tables), &opt, &word, e);
		if (kind <= 0)
			return kind;
		if (kind == OPT_WORD && *word)
			add_app(req, word);
		else if (kind == OPT_ENDS && read_args(req, c, e) < 0)
			return -EINVAL;
		/* A "---" outside arguments means nothing. */
	}
}

/* The old flags are pull policies; beside one that says the same they do no harm. */
static int old_policies(struct pod_request *req, struct err *e)
{
	const char *policy = req->store_only ? "never" : "update";

	if (req->store_only && req->no_store)
		return err_set(e, EINVAL, "both --store-only and --no-store specified");
	if (!req->store_only && !req->no_store)
		return 0;
	if (req->pull_policy && strcmp(req->pull_policy, policy))
		return err_set(e, EINVAL, "--%s is --pull-policy=%s, not %s",
			       req->store_only ? "store-only" : "no-store", policy,
			       q(req->pull_policy));
	if (!req->pull_policy)
		req->pull_policy = xstrdup(policy);
	return 0;
}

int pod_request_check(struct pod_request *req, struct err *e)
{
	int r = old_policies(req, e);

	if (r < 0)
		return r;
	if (!req->pod_manifest)
		return req->n_apps ? 0 : err_set(e, EINVAL, "must provide at least one image or "
							    "specify the pod manifest");
	if (req->n_apps || req->volumes || req->mounts || req->ports || req->inherit_env ||
	    req->set_env || req->set_env_file || req->annotations || req->user_annotations ||
	    req->user_labels || (req->pull_policy && strcmp(req->pull_policy, "new")))
		return err_set(e, EINVAL, "conflicting flags set with --pod-manifest (see --help)");
	return 0;
}
