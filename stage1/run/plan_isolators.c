/*
 * Isolators: what each of them becomes, in cgroup values and in the app's record.  An isolator that
 * cannot be applied is refused by its name; none is left out in silence.
 */
#include <errno.h>
#include <signal.h>
#include <sys/sysmacros.h>

#include "base/log.h"
#include "base/str.h"
#include "spec/check_decode.h"
#include "stage1/run/caps.h"
#include "stage1/run/plan.h"

/*
 * Devices that every app may open; making nodes of others is of no use to it (decision: MKNOD is among
 * the default capabilities, so the list is what holds).  5:2 and 136:* are the pod's own devpts.
 */
static const struct cg_device usual_devices[] = {
	{'c', 1, 3, "rwm"}, {'c', 1, 5, "rwm"}, {'c', 1, 7, "rwm"},    {'c', 1, 8, "rwm"},
	{'c', 1, 9, "rwm"}, {'c', 5, 0, "rwm"}, {'c', 5, 2, "rwm"}, {'c', 136, -1, "rwm"},
};

static int refuse(const struct isolator *iso, struct err *e)
{
	return err_set(e, EOPNOTSUPP, "isolator %s: not supported by this version", isolator_name(iso->kind));
}

/*
 * A core asked for is a share of 1024, which is what a group has that nobody asked for (cgroup v1,
 * cpu.shares): in contention those who ask for more get more, in proportion.
 */
static int64_t shares_of(int64_t milli)
{
	int64_t shares = milli * 1024 / 1000;

	return shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
}

/* The isolators that are values of a control group. */
static bool cgroup_isolator(const struct isolator *iso, struct cg_limits *l)
{
	switch (iso->kind) {
	case ISO_MEMORY:
		l->memory_bytes = iso->resource.limit;
		l->memory_request = iso->resource.request;
		return true;
	case ISO_CPU:
		l->cpu_milli = iso->resource.limit;
		return true;
	case ISO_CPU_SHARES:
		l->cpu_shares = iso->number;
		return true;
	case ISO_PIDS:
		l->pids = iso->number;
		return true;
	case ISO_BLOCK_BW:
		l->block_bytes = iso->resource.limit;
		return true;
	case ISO_BLOCK_IOPS:
		l->block_ops = iso->resource.limit;
		return true;
	default:
		return false;
	}
}

/* Shares that are asked for as such count; else a request of cores becomes some. */
static void request_shares(const struct isolator_list *list, struct cg_limits *l)
{
	const struct isolator *iso = isolator_find(list, ISO_CPU);

	if (l->cpu_shares < 0 && iso && iso->resource.request >= 0)
		l->cpu_shares = shares_of(iso->resource.request);
}

/* What may be asked for must be there: a capability that we lack cannot be handed on. */
static int retain_caps(const struct isolator *iso, const struct host_facts *facts, uint64_t *mask,
		       struct err *e)
{
	uint64_t want;
	int r = caps_from_names(iso->names.set, &want, e);

	if (r == 0 && want & ~facts->caps) {
		_cleanup_free_ char *name = caps_first_name(want & ~facts->caps);

		r = err_set(e, EPERM, "%s cannot be had on this host", name);
	}
	if (r < 0)
		return err_ctx(e, r, "isolator %s", isolator_name(iso->kind));
	*mask = want;
	return 0;
}

static int remove_caps(const struct isolator *iso, uint64_t *mask, struct err *e)
{
	uint64_t drop;
	int r = caps_from_names(iso->names.set, &drop, e);

	if (r < 0)
		return err_ctx(e, r, "isolator %s", isolator_name(iso->kind));
	*mask &= ~drop;
	return 0;
}

static int app_isolator(const struct isolator *iso, const struct host_facts *facts, struct plan_app *pa,
			struct err *e)
{
	struct app_record *rec = &pa->record;

	switch (iso->kind) {
	case ISO_CAPS_RETAIN:
		return retain_caps(iso, facts, &rec->caps_bounding, e);
	case ISO_CAPS_REMOVE:
		return remove_caps(iso, &rec->caps_bounding, e);
	case ISO_NO_NEW_PRIVS:
		rec->no_new_privs = iso->flag;
		return 0;
	case ISO_SECCOMP_RETAIN:
	case ISO_SECCOMP_REMOVE:
		return 0; /* compiled by filters.c */
	case ISO_NET_BW:
		return 0; /* of the pod, by plan_bandwidth() */
	case ISO_LOGIN_GROUPS:
		return 0; /* by plan_identity() */
	case ISO_OOM_SCORE_ADJ:
		rec->has_oom_score_adj = true;
		rec->oom_score_adj = (int) iso->number;
		return 0;
	case ISO_SELINUX:
	case ISO_APPARMOR:
		return plan_lsm(iso, facts, rec, e);
	case ISO_STOP_SIGNAL:
	case ISO_RESTART:
	case ISO_INIT_APP:
	case ISO_HEALTHCHECK:
	case ISO_PROBE:
		return plan_life(iso, pa, e);
	default:
		return refuse(iso, e);
	}
}

static void add_device(struct plan_app *pa, struct cg_device d)
{
	pa->devices = xgrow(pa->devices, pa->n_devices, sizeof *pa->devices);
	pa->devices[pa->n_devices++] = d;
}

/* The usual few, and the device nodes that the operator gave as volumes. */
static void plan_devices(struct plan_app *pa)
{
	for (size_t i = 0; i < ELEMENTSOF(usual_devices); i++)
		add_device(pa, usual_devices[i]);
	for (size_t i = 0; i < pa->n_mounts; i++) {
		const struct plan_mount *m = &pa->mounts[i];

		if (m->device)
			add_device(pa, (struct cg_device) {m->device_type, major(m->device), minor(m->device),
							   m->read_only ? "r" : "rw"});
	}
	pa->limits.devices = true;
	pa->limits.device_list = pa->devices;
	pa->limits.n_devices = pa->n_devices;
}

int plan_app_isolators(const struct isolator_list *l, const struct entry_args *args,
		       const struct host_facts *facts, struct plan_app *pa, struct err *e)
{
	int r;

	pa->limits = (struct cg_limits) CG_LIMITS_NONE;
	pa->life.stop_signal = SIGTERM;
	pa->record.caps_bounding = caps_default() & facts->caps;
	for (size_t i = 0; i < l->n; i++) {
		if (cgroup_isolator(&l->v[i], &pa->limits))
			continue;
		r = app_isolator(&l->v[i], facts, pa, e);
		if (r < 0)
			return r;
	}
	request_shares(l, &pa->limits);
	if (args->no_capabilities)
		pa->record.caps_bounding = facts->caps;
	pa->isolators = l;
	pa->record.seccomp = !args->no_seccomp;
	if (!args->no_paths)
		plan_devices(pa);
	return facts->cgroups ? cg_host_can(facts->cgroups, &pa->limits, e) : 0;
}

int plan_pod_isolators(const struct isolator_list *l, const struct host_facts *facts, struct plan *plan,
		       struct err *e)
{
	plan->limits = (struct cg_limits) CG_LIMITS_NONE;
	plan->stop_timeout_ms = -1;
	plan->isolators = l;
	for (size_t i = 0; i < l->n; i++) {
		const struct isolator *iso = &l->v[i];
		int r = 0;

		if (cgroup_isolator(iso, &plan->limits))
			plan->limited = true;
		else if (iso->kind == ISO_SYSCTL)
			r = plan_sysctls(iso, plan, e);
		else if (iso->kind == ISO_STOP_TIMEOUT)
			r = stop_timeout_decode(iso->raw, JSON_TOP, &plan->stop_timeout_ms, e);
		else if (iso->kind != ISO_SELINUX && iso->kind != ISO_APPARMOR &&
			 iso->kind != ISO_NET_BW)
			r = refuse(iso, e);
		if (r < 0)
			return r;
	}
	request_shares(l, &plan->limits);
	return facts->cgroups ? cg_host_can(facts->cgroups, &plan->limits, e) : 0;
}

/* On v2 what is above a group bounds what is kept for it: the pod asks for what its apps ask for. */
static void sum_requests(const struct host_facts *facts, struct plan *plan)
{
	int64_t sum = 0;

	if (!facts->cgroups || cg_host_version(facts->cgroups) != CG_V2)
		return;
	for (size_t i = 0; i < plan->n_apps; i++)
		if (plan->apps[i].limits.memory_request > 0)
			sum += plan->apps[i].limits.memory_request;
	if (sum <= plan->limits.memory_request || !sum)
		return;
	plan->limits.memory_request = sum;
	plan->limited = true;
}

/* Of the pod for every app that says nothing else itself (appc specification, "selinux-context"). */
static int pod_lsm(const struct host_facts *facts, struct plan *plan, struct err *e)
{
	static const enum isolator_kind kinds[] = {ISO_SELINUX, ISO_APPARMOR};

	for (size_t k = 0; k < ELEMENTSOF(kinds); k++) {
		const struct isolator *iso = isolator_find(plan->isolators, kinds[k]);

		for (size_t i = 0; iso && i < plan->n_apps; i++) {
			struct plan_app *pa = &plan->apps[i];
			int r = isolator_find(pa->isolators, kinds[k]) ? 0 : plan_lsm(iso, facts, &pa->record, e);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int plan_pod_bounds(const struct host_facts *facts, struct plan *plan, struct err *e)
{
	int r = pod_lsm(facts, plan, e);

	if (r == 0)
		r = plan_bandwidth(plan, e);
	if (r < 0)
		return r;
	sum_requests(facts, plan);
	return plan_blocks(facts, plan, e);
}

static void report_list(const char *whose, const struct isolator_list *l)
{
	for (size_t i = 0; l && i < l->n; i++)
		log_debug("%s: isolator %s: enforced", whose, isolator_name(l->v[i].kind));
}

void plan_report(const struct plan *plan)
{
	report_list("pod", plan->isolators);
	for (size_t i = 0; i < plan->n_apps; i++) {
		_cleanup_free_ char *whose = xasprintf("app %s", plan->apps[i].name);

		report_list(whose, plan->apps[i].isolators);
	}
	/* What cannot be is refused, with the pod. */
	log_debug("no isolator is ignored");
}
