/*
 * The plan of a pod that flies.  What cannot be had is told once, in a note, when leaving it out
 * takes something away from the operator's comfort (a network, a hostname) or from the image's
 * isolators, as rkt's fly leaves them out; what would mean another pod than was asked for is an
 * error.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "stage1/fly/fly.h"

/* What stage0 says when nobody asked for a name: gantry-UUID, rkt-UUID. */
static bool is_default_hostname(const char *name, const char *uuid)
{
	return !name || str_ends(name, uuid);
}

/* A port of the pod that is to lead to what the app listens on; sockets that come with us do. */
static bool has_ports(const struct pod *pod)
{
	const struct app *app = pod->apps[0].app;

	for (size_t i = 0; i < pod->manifest->n_ports; i++) {
		bool activated = false;

		for (size_t j = 0; j < app->n_ports; j++)
			if (str_eq(app->ports[j].name, pod->manifest->ports[i].name))
				activated = app->ports[j].socket_activated;
		if (!activated)
			return true;
	}
	return false;
}

static void note_options(const struct pod *pod, const struct entry_args *args, struct plan *plan)
{
	const struct {
		const char *option;
		bool given;
	} options[] = {
		{"--net",
		 args->nets && !(strv_len(args->nets) == 1 && str_eq(args->nets[0], "host"))},
		{"--net-dir", args->net_dirs},
		{"--port", has_ports(pod)},
		{"--hostname", !is_default_hostname(args->hostname, plan->uuid)},
		{"--ipc", args->ipc && !str_eq(args->ipc, "parent")},
	};

	for (size_t i = 0; i < ELEMENTSOF(options); i++)
		if (options[i].given)
			strv_push(&plan->notes, xasprintf("stage1 fly: %s is ignored: the pod "
							  "shares network, IPC and host "
							  "name with the host",
							  options[i].option));
}

/* What is no bound, but how an app is run: the same init does it. */
static bool is_applied(enum isolator_kind kind)
{
	return kind == ISO_LOGIN_GROUPS || kind == ISO_STOP_SIGNAL;
}

static void note_isolators(const char *whose, const struct isolator_list *l, struct plan *plan)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *list = NULL;

	for (size_t i = 0; i < l->n; i++)
		if (!is_applied(l->v[i].kind))
			strv_add(&names, isolator_name(l->v[i].kind));
	if (!names)
		return;
	list = strv_join(names, ", ");
	strv_push(&plan->notes,
		  xasprintf("stage1 fly: %s: isolators are not applied: %s", whose, list));
}

/*
 * A mount point that nobody filled: elsewhere an empty volume is made up, here it is an error as in
 * rkt. stage0 has made one up already when it wrote the pod manifest, and its name tells.
 */
static int check_mount_points(const struct pod *pod, const struct pod_app *a, struct err *e)
{
	for (size_t i = 0; i < a->app->n_mount_points; i++) {
		const struct mount_point *mp = &a->app->mount_points[i];
		_cleanup_free_ char *made_up = xasprintf("%s-%s", a->runtime->name, mp->name);
		_cleanup_free_ char *target = path_clean(mp->path);
		bool filled = pod_manifest_volume(pod->manifest, mp->name) != NULL;

		for (size_t j = 0; j < a->runtime->n_mounts; j++) {
			const struct pod_mount *pm = &a->runtime->mounts[j];
			_cleanup_free_ char *path = path_clean(pm->path);

			if (str_eq(path, target))
				filled = !str_eq(pm->volume, made_up);
		}
		if (!filled)
			return err_set(e, EINVAL, "no volume for mount point %s on %s", q(mp->name),
				       q(mp->path));
	}
	return 0;
}

/*
 * One of the pod's own mounts in front of all others, unless the operator has put something there.
 */
static void add_first(struct plan_app *pa, struct plan_mount m)
{
	for (size_t i = 0; i < pa->n_mounts; i++)
		if (str_eq(pa->mounts[i].target, m.target))
			return;
	m.target = xstrdup(m.target);
	m.path = xstrdup_null(m.path);
	m.dir = true;
	(void) plan_add_mount(pa);
	memmove(pa->mounts + 1, pa->mounts, (pa->n_mounts - 1) * sizeof *pa->mounts);
	pa->mounts[0] = m;
}

static void host_mounts(struct plan_app *pa)
{
	static char *const dirs[] = {(char *) "/dev", (char *) "/proc", (char *) "/sys"};

	add_first(pa, (struct plan_mount) {.source = SOURCE_TMPFS, .target = (char *) "/tmp"});
	for (size_t i = 0; i < ELEMENTSOF(dirs); i++)
		add_first(pa, (struct plan_mount) {.source = SOURCE_HOST,
						   .path = dirs[i],
						   .target = dirs[i],
						   .recursive = true});
}

static int plan_stop_signal(const struct isolator_list *l, struct plan_app *pa, struct err *e)
{
	const struct isolator *iso = isolator_find(l, ISO_STOP_SIGNAL);

	pa->life.stop_signal = SIGTERM;
	return iso ? plan_life(iso, pa, e) : 0;
}

static int plan_app(const struct pod *pod, const struct pod_app *a, const struct host_facts *facts,
		    struct plan *plan, struct plan_app *pa, struct err *e)
{
	int r;

	pa->name = a->runtime->name;
	pa->tree = a->tree;
	pa->limits = (struct cg_limits) CG_LIMITS_NONE;
	pa->isolators = &a->app->isolators;
	pa->record = (struct app_record) APP_RECORD_INIT;
	pa->record.app = xstrdup(pa->name);
	pa->record.make_cwd = plan_is_of_docker(a->image);
	pa->record.chroot = true;
	pa->record.paths = pa->record.shm = false;
	pa->record.caps_bounding = facts->caps;
	pa->record.read_only_root = a->runtime->read_only_root;
	pa->record.login_env = pa->record.make_cwd;
	pa->record.env = plan_environment(pa->name, &a->app->environment, plan->terminal ? facts->term : NULL,
					  pa->record.login_env);
	note_isolators(pa->name, &a->app->isolators, plan);
	r = plan_identity(a->app, &pa->record, e);
	if (r == 0)
		r = plan_stop_signal(&a->app->isolators, pa, e);
	if (r == 0)
		r = plan_streams(a->runtime, plan, pa, e);
	plan_listen(pod, a->app, facts, plan, pa);
	if (r == 0)
		r = check_mount_points(pod, a, e);
	if (r == 0)
		r = plan_mounts(pod, a, plan, pa, e);
	if (r < 0)
		return r;
	plan_notify(a, 0, plan, pa);
	host_mounts(pa);
	return 0;
}

int fly_plan(const struct pod *pod, const struct entry_args *args, const struct host_facts *facts,
	     struct plan **ret, struct err *e)
{
	_cleanup_plan_ struct plan *plan = xcalloc(1, sizeof *plan);
	enum plan_dns resolv, hosts;
	int r;

	if (pod->n_apps != 1)
		return err_set(e, EINVAL, "stage1 fly runs one app only, and the pod has %zu",
			       pod->n_apps);
	if (args->private_users.count)
		return err_set(e, EOPNOTSUPP, "--private-users: stage1 fly has no user namespaces");
	plan->uuid = xstrdup(pod->uuid);
	plan->stop_timeout_ms = -1;
	plan->hostname = xstrdup(args->hostname ? args->hostname : pod->uuid);
	plan->overlay = pod->overlay;
	plan->chroot = true;
	plan->limits = (struct cg_limits) CG_LIMITS_NONE;
	r = plan_dns_mode(args->dns_conf_mode, &resolv, &hosts, e);
	if (r == 0)
		r = plan_interactive(pod->n_apps, args, facts, plan, e);
	if (r < 0)
		return r;
	note_options(pod, args, plan);
	note_isolators("pod", &pod->manifest->isolators, plan);
	plan->apps = xcalloc(1, sizeof *plan->apps);
	plan->n_apps = 1;
	r = plan_app(pod, &pod->apps[0], facts, plan, &plan->apps[0], e);
	if (r < 0)
		return err_ctx(e, r, "app %s", pod->apps[0].runtime->name);
	plan_listen_rest(facts, plan);
	r = plan_files(pod, resolv, hosts, plan, e);
	if (r < 0)
		return r;
	*ret = take_ptr(plan);
	return 0;
}
