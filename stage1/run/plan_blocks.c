/*
 * The isolators resource/block-bandwidth and block-iops: a rate for reading and one for writing, on each
 * disk that an app has files on.  Those are the one under the pod's directory, where the app's own layer
 * and empty volumes are, and those under its volumes of the host.
 */
#include <errno.h>
#include <sys/sysmacros.h>

#include "base/str.h"
#include "stage1/run/plan.h"
#include "sys/disk.h"

struct disks {
	struct cg_disk *v;
	size_t n;
};

static const char *sysfs(const struct host_facts *facts)
{
	return facts->sys ? facts->sys : "/sys";
}

static int add_disk(const struct host_facts *facts, dev_t fs, struct disks *d)
{
	dev_t disk;
	int r = disk_of_file_system(sysfs(facts), fs, &disk);

	if (r < 0)
		return r;
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].major == major(disk) && d->v[i].minor == minor(disk))
			return 0;
	d->v = xgrow(d->v, d->n, sizeof *d->v);
	d->v[d->n++] = (struct cg_disk) {major(disk), minor(disk)};
	return 0;
}

/* Volumes that are on no disk (tmpfs) need no limit. */
static void add_volumes(const struct host_facts *facts, const struct plan_app *pa, struct disks *d)
{
	for (size_t i = 0; i < pa->n_mounts; i++)
		if (pa->mounts[i].source == SOURCE_HOST)
			(void) add_disk(facts, pa->mounts[i].file_system, d);
}

static bool is_asked(const struct cg_limits *l)
{
	return l->block_bytes >= 0 || l->block_ops >= 0;
}

static int own_disk(const struct host_facts *facts, struct disks *d, struct err *e)
{
	if (add_disk(facts, facts->pod_device, d) == 0)
		return 0;
	return err_set(e, ENODEV, "isolators %s and %s: the pod's directory is on no disk whose use can be limited",
		       isolator_name(ISO_BLOCK_BW), isolator_name(ISO_BLOCK_IOPS));
}

static void note(const struct host_facts *facts, const char *whose, const struct disks *d, struct plan *plan)
{
	_cleanup_strbuf_ struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < d->n; i++)
		strbuf_addf(&sb, "%s%u:%u", i ? ", " : "", d->v[i].major, d->v[i].minor);
	strv_push(&plan->notes,
		  xasprintf("%s: limits of block devices hold for %s, for reading and for writing each%s", whose,
			    sb.buf,
			    facts->cgroups && cg_host_version(facts->cgroups) == CG_V1
				    ? "; on this host (cgroup v1) not for writing through the page cache"
				    : ""));
}

static void hand_over(struct cg_limits *l, struct cg_disk **owner, const struct disks *d)
{
	*owner = d->v;
	l->disks = d->v;
	l->n_disks = d->n;
}

int plan_blocks(const struct host_facts *facts, struct plan *plan, struct err *e)
{
	struct disks all = {0};
	int r = 0;

	for (size_t i = 0; i < plan->n_apps && r == 0; i++) {
		struct plan_app *pa = &plan->apps[i];
		_cleanup_free_ char *whose = xasprintf("app %s", pa->name);
		struct disks d = {0};

		if (is_asked(&plan->limits))
			add_volumes(facts, pa, &all);
		if (!is_asked(&pa->limits))
			continue;
		r = own_disk(facts, &d, e);
		if (r < 0)
			return err_ctx(e, r, "%s", whose);
		add_volumes(facts, pa, &d);
		hand_over(&pa->limits, &pa->disks, &d);
		note(facts, whose, &d, plan);
	}
	if (!is_asked(&plan->limits))
		return 0;
	r = own_disk(facts, &all, e);
	hand_over(&plan->limits, &plan->disks, &all);
	if (r == 0)
		note(facts, "pod", &all, plan);
	return r;
}
