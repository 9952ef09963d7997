/*
 * Isolators: what each of them becomes, in cgroup values and in the app's record.  An isolator that
 * cannot be applied is refused by its name; none is left out in silence.
 */
#include <errno.h>
#include <sys/sysmacros.h>

#include "base/str.h"
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

/* A limit is applied; a request alone would be a promise that nobody keeps. */
static int resource_limit(const struct isolator *iso, int64_t *ret, struct err *e)
{
	if (iso->resource.limit < 0)
		return err_set(e, EOPNOTSUPP, "isolator %s: a request without a limit is not supported",
			       isolator_name(iso->kind));
	*ret = iso->resource.limit;
	return 0;
}

/* The isolators that are values of a control group. 1: done, 0: none of them. */
static int cgroup_isolator(const struct isolator *iso, struct cg_limits *l, struct err *e)
{
	int r;

	switch (iso->kind) {
	case ISO_MEMORY:
		r = resource_limit(iso, &l->memory_bytes, e);
		return r < 0 ? r : 1;
	case ISO_CPU:
		r = resource_limit(iso, &l->cpu_milli, e);
		return r < 0 ? r : 1;
	case ISO_CPU_SHARES:
		l->cpu_shares = iso->number;
		return 1;
	case ISO_PIDS:
		l->pids = iso->number;
		return 1;
	default:
		return 0;
	}
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
	case ISO_OOM_SCORE_ADJ:
		rec->has_oom_score_adj = true;
		rec->oom_score_adj = (int) iso->number;
		return 0;
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
	pa->record.caps_bounding = caps_default() & facts->caps;
	for (size_t i = 0; i < l->n; i++) {
		r = cgroup_isolator(&l->v[i], &pa->limits, e);
		if (r == 0)
			r = app_isolator(&l->v[i], facts, pa, e);
		if (r < 0)
			return r;
	}
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
	for (size_t i = 0; i < l->n; i++) {
		int r = cgroup_isolator(&l->v[i], &plan->limits, e);

		if (r == 0)
			r = refuse(&l->v[i], e);
		if (r < 0)
			return r;
		plan->limited = true;
	}
	return facts->cgroups ? cg_host_can(facts->cgroups, &plan->limits, e) : 0;
}
