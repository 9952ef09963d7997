/*
 * From pod, arguments and host to the plan.
 */
#include "stage1/run/plan.h"

#include <errno.h>
#include <limits.h>

#include "base/str.h"
#include "contract/layout.h"

#define HOSTNAME_MAX 64

/* The names of a hostname that sethostname(2) and /etc/hosts can both take. */
static int check_hostname(const char *s, struct err *e)
{
	size_t n = strlen(s);

	if (n < 1 || n > HOSTNAME_MAX)
		return err_set(e, EINVAL, "the hostname %s is not of 1 to %d bytes", q(s), HOSTNAME_MAX);
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
		      (s[i] >= '0' && s[i] <= '9') || s[i] == '-' || s[i] == '.' || s[i] == '_'))
			return err_set(e, EINVAL, "the hostname %s has other characters than A-Z a-z 0-9 - . _",
				       q(s));
	return 0;
}

static int plan_ipc(const char *mode, struct plan *plan, struct err *e)
{
	plan->private_ipc = !str_eq(mode, "parent");
	if (mode && plan->private_ipc && !str_eq(mode, "auto") && !str_eq(mode, "private"))
		return err_set(e, EINVAL, "--ipc: %s is none of auto, private, parent", q(mode));
	return 0;
}

/* "none" and "host" stand alone; nothing said is "default". */
static int plan_nets(char *const *nets, struct plan *plan, struct err *e)
{
	bool host = strv_has(nets, "host"), none = strv_has(nets, "none");

	if ((host || none) && strv_len(nets) > 1)
		return err_set(e, EINVAL, "--net=%s cannot be combined with other networks",
			       host ? "host" : "none");
	plan->private_net = !host;
	if (host || none)
		return 0;
	if (nets)
		plan->nets = strv_copy(nets);
	else
		strv_add(&plan->nets, "default");
	return 0;
}

static int plan_options(const struct entry_args *args, struct plan *plan, struct err *e)
{
	int r;

	plan->hostname = args->hostname ? xstrdup(args->hostname) : xasprintf("rkt-%s", plan->uuid);
	r = check_hostname(plan->hostname, e);
	if (r < 0)
		return r;
	r = plan_ipc(args->ipc, plan, e);
	if (r < 0)
		return r;
	return plan_nets(args->nets, plan, e);
}

int plan_identity(const struct app *app, struct app_record *rec, struct err *e)
{
	const struct isolator *groups;
	const struct event_handler *h;

	if (!strv_len(app->exec))
		return err_set(e, EINVAL, "no program to execute: exec is empty");
	rec->exec = strv_copy(app->exec);
	rec->cwd = xstrdup(app->working_directory ? app->working_directory : "/");
	rec->user = xstrdup(app->user);
	rec->group = xstrdup(app->group);
	for (size_t i = 0; i < app->n_supplementary_gids; i++) {
		int64_t gid = app->supplementary_gids[i];

		if (gid < 0 || gid >= UINT32_MAX)
			return err_set(e, ERANGE, "supplementaryGIDs: %lld is no group id", (long long) gid);
		app_record_add_gid(rec, (gid_t) gid);
	}
	groups = isolator_find(&app->isolators, ISO_LOGIN_GROUPS);
	rec->login_groups = groups && groups->flag;
	h = app_handler(app, "pre-start");
	if (h)
		rec->pre_start = strv_copy(h->exec);
	h = app_handler(app, "post-stop");
	if (h)
		rec->post_stop = strv_copy(h->exec);
	return 0;
}

static int plan_app(const struct pod *pod, const struct pod_app *a, const struct entry_args *args,
		    const struct host_facts *facts, struct plan *plan, struct plan_app *pa, struct err *e)
{
	int r;

	pa->name = a->runtime->name;
	pa->tree = a->tree;
	pa->group = xasprintf("%s/%s", plan->group, pod_leaf(pa->name));
	pa->record = (struct app_record) APP_RECORD_INIT;
	pa->record.app = xstrdup(pa->name);
	pa->record.make_cwd = plan_is_of_docker(a->image);
	pa->record.read_only_root = a->runtime->read_only_root;
	/* Users of Docker expect the home of the image's user there, rkt's that of root. */
	pa->record.login_env = pa->record.make_cwd;
	pa->record.env = plan_environment(pa->name, &a->app->environment, plan->terminal ? facts->term : NULL,
					  pa->record.login_env);
	pa->record.paths = !args->no_paths;
	if (pa->record.paths)
		app_record_default_paths(&pa->record);
	r = plan_identity(a->app, &pa->record, e);
	if (r == 0)
		r = plan_streams(a->runtime, plan, pa, e);
	if (r < 0)
		return r;
	plan_listen(pod, a->app, facts, plan, pa);
	r = plan_mounts(pod, a, plan, pa, e);
	if (r < 0)
		return r;
	plan_notify(a, plan->n_apps - 1, plan, pa);
	return plan_app_isolators(&a->app->isolators, args, facts, pa, e);
}

/*
 * Every directory of the pod's groups, deepest first, as gc wants them. */
static void plan_cgroups(const struct host_facts *facts, struct plan *plan)
{
	_cleanup_free_ const struct cg_limits **limits = NULL;

	if (!facts->cgroups)
		return;
	limits = xcalloc(plan->n_apps + 1, sizeof *limits);
	for (size_t i = 0; i < plan->n_apps; i++)
		limits[i] = &plan->apps[i].limits;
	limits[plan->n_apps] = &plan->limits;
	cg_host_restrict(facts->cgroups, limits, plan->n_apps + 1);
	for (size_t i = 0; i <= plan->n_apps + 1; i++) {
		const char *group = i < plan->n_apps ? plan->apps[i].group : plan->group;
		_cleanup_strv_ char **dirs = i == plan->n_apps
						     ? cg_init_paths(facts->cgroups, group, POD_INIT_LEAF)
						     : cg_paths(facts->cgroups, group);

		for (char **d = dirs; d && *d; d++)
			strv_add(&plan->cgroups, *d);
	}
}

/*
 * What run and init have open at once, roughly.  Where the limit is in the way it is raised for them,
 * and the apps get it back as it was.
 */
static void plan_descriptors(const struct host_facts *facts, struct plan *plan)
{
	uint64_t need = 64;

	for (size_t i = 0; i < plan->n_apps; i++)
		need += 20 + plan->apps[i].n_mounts;
	if (!facts->files_soft || need <= facts->files_soft)
		return;
	plan->files_limit = need < facts->files_hard ? need : facts->files_hard;
	for (size_t i = 0; i < plan->n_apps; i++)
		app_record_add_rlimit(&plan->apps[i].record, "nofile", facts->files_soft, facts->files_hard);
}

int plan_make(const struct pod *pod, const struct entry_args *args, const struct host_facts *facts,
	      struct plan **ret, struct err *e)
{
	_cleanup_plan_ struct plan *plan = xcalloc(1, sizeof *plan);
	enum plan_dns resolv, hosts;
	int r;

	plan->uuid = xstrdup(pod->uuid);
	plan->group = xasprintf("gantry/%s", pod->uuid);
	plan->overlay = pod->overlay;
	plan->ids = args->private_users;
	r = plan_options(args, plan, e);
	if (r == 0)
		r = plan_ports(pod, plan, e);
	if (r == 0)
		r = plan_interactive(pod->n_apps, args, facts, plan, e);
	if (r < 0)
		return r;
	r = plan_dns_mode(args->dns_conf_mode, &resolv, &hosts, e);
	if (r < 0)
		return r;
	r = plan_pod_isolators(&pod->manifest->isolators, facts, plan, e);
	if (r < 0)
		return r;
	plan->apps = xcalloc(pod->n_apps, sizeof *plan->apps);
	while (plan->n_apps < pod->n_apps) {
		const struct pod_app *a = &pod->apps[plan->n_apps];

		r = plan_app(pod, a, args, facts, plan, &plan->apps[plan->n_apps++], e);
		if (r < 0)
			return err_ctx(e, r, "app %s", a->runtime->name);
	}
	r = plan_pod_bounds(facts, plan, e);
	if (r < 0)
		return r;
	plan_listen_rest(facts, plan);
	r = plan_files(pod, resolv, hosts, plan, e);
	if (r == 0)
		r = plan_users(plan, e);
	if (r < 0)
		return r;
	plan_cgroups(facts, plan);
	plan_descriptors(facts, plan);
	*ret = take_ptr(plan);
	return 0;
}

static void app_done(struct plan_app *pa)
{
	app_record_done(&pa->record);
	for (size_t i = 0; i < pa->n_mounts; i++) {
		free(pa->mounts[i].volume);
		free(pa->mounts[i].path);
		free(pa->mounts[i].target);
	}
	free(pa->mounts);
	free(pa->life.checks);
	free(pa->disks);
	free(pa->devices);
	free(pa->listen);
	free(pa->notify);
	free(pa->group);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_apps; i++)
		app_done(&plan->apps[i]);
	for (size_t i = 0; i < plan->n_volumes; i++)
		free(plan->volumes[i].path);
	for (size_t i = 0; i < plan->n_files; i++) {
		free(plan->files[i].path);
		free(plan->files[i].content);
	}
	free(plan->apps);
	free(plan->volumes);
	free(plan->files);
	free(plan->disks);
	strv_free(plan->sysctls);
	strv_free(plan->nets);
	strv_free(plan->cgroups);
	strv_free(plan->notes);
	free(plan->uuid);
	free(plan->hostname);
	for (size_t i = 0; i < plan->n_ports; i++) {
		free(plan->ports[i].protocol);
		free(plan->ports[i].host_ip);
	}
	free(plan->ports);
	free(plan->group);
	free(plan);
}
