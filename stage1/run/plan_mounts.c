/*
 * Volumes: which of them an app gets, where, and in what order.
 */
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage1/run/plan.h"
#include "stage1/run/source.h"

struct plan_mount *plan_add_mount(struct plan_app *pa)
{
	struct plan_mount *m;

	pa->mounts = xgrow(pa->mounts, pa->n_mounts, sizeof *pa->mounts);
	m = &pa->mounts[pa->n_mounts++];
	*m = (struct plan_mount) {0};
	return m;
}

const struct plan_mount *plan_covered(const struct plan_app *pa, const char *path)
{
	for (size_t i = 0; i < pa->n_mounts; i++)
		if (pa->mounts[i].source != SOURCE_FILE && path_is_below(path, pa->mounts[i].target))
			return &pa->mounts[i];
	return NULL;
}

/*
 * Places where a volume would not be what it seems: over all of the root, over /proc (what is read
 * and written there would be plain files, CVE-2019-16884), or in place of the whole /dev.
 */
static int check_target(const char *target, struct err *e)
{
	if (str_eq(target, "/") || str_eq(target, "/dev") || path_is_below(target, "/proc"))
		return err_set(e, EINVAL, "a volume cannot be mounted on %s", q(target));
	return 0;
}

static struct plan_mount *at_target(struct plan_app *pa, const char *target)
{
	for (size_t i = 0; i < pa->n_mounts; i++)
		if (str_eq(pa->mounts[i].target, target))
			return &pa->mounts[i];
	return NULL;
}

/* The host's side of a volume. */
static int host_source(const struct plan *plan, const struct volume *v, struct plan_mount *m, struct err *e)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	m->source = SOURCE_HOST;
	m->path = xstrdup(v->source);
	/* rkt's fly has another default than the specification. */
	m->recursive = v->recursive_given ? v->recursive : !plan->chroot;
	m->back = plan->chroot;
	fd = source_open(v->source, &st, e);
	if (fd < 0)
		return fd;
	m->dir = S_ISDIR(st.st_mode);
	m->file_system = st.st_dev;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		m->device = st.st_rdev;
		m->device_type = S_ISBLK(st.st_mode) ? 'b' : 'c';
	}
	return 0;
}

/* A directory of the pod: shared by the apps that name the same volume of the pod. */
static void empty_source(struct plan *plan, const struct volume *v, const char *dir_name, struct plan_mount *m)
{
	struct plan_volume *pv;

	m->source = SOURCE_EMPTY;
	m->dir = true;
	m->path = xasprintf(POD_VOLUMES "/%s", dir_name);
	for (size_t i = 0; i < plan->n_volumes; i++)
		if (str_eq(plan->volumes[i].path, m->path))
			return;
	plan->volumes = xgrow(plan->volumes, plan->n_volumes, sizeof *plan->volumes);
	pv = &plan->volumes[plan->n_volumes++];
	*pv = (struct plan_volume) {
		.path = xstrdup(m->path),
		.mode = v ? (mode_t) v->mode : 0755,
		.uid = v ? (uid_t) v->uid : 0,
		.gid = v ? (gid_t) v->gid : 0,
	};
}

/*
 * One volume on one path. `v` NULL: an empty one that nobody asked for.  What belongs to one app only is
 * kept under "APP.NAME": an AC Name has no dot, so it cannot be a volume of the pod.
 */
static int add_volume(struct plan *plan, struct plan_app *pa, const char *name, const struct volume *v,
		      bool of_app, const char *path, bool read_only, struct err *e)
{
	_cleanup_free_ char *target = path_clean(path);
	_cleanup_free_ char *dir_name = of_app ? xasprintf("%s.%s", pa->name, name) : xstrdup(name);
	struct plan_mount *m;
	int r = check_target(target, e);

	if (r < 0)
		return r;
	if (at_target(pa, target))
		return err_set(e, EINVAL, "another volume is mounted on %s, too", q(target));
	m = plan_add_mount(pa);
	m->volume = xstrdup(name);
	m->target = take_ptr(target);
	/* The operator's word about the volume counts more than the image's about its mount point. */
	m->read_only_given = v && v->read_only_given;
	m->read_only = m->read_only_given ? v->read_only : read_only;
	if (v && v->kind == VOLUME_HOST)
		return host_source(plan, v, m, e);
	empty_source(plan, v, dir_name, m);
	return 0;
}

/*
 * Images that were made of docker's expect of a volume which nobody gives what docker does: that it begins
 * with what the image has in its place, owner and mode included.
 */
bool plan_is_of_docker(const struct image_manifest *image)
{
	return nameval_get(&image->annotations, "appc.io/docker/repository") != NULL;
}

/* One of those that stage0 has made for a mount point, by its name "APP-MOUNTPOINT". */
static bool is_implicit(const struct pod_app *a, const struct pod_mount *pm, const struct volume *v)
{
	if (v->kind != VOLUME_EMPTY || pm->app_volume)
		return false;
	for (size_t i = 0; i < a->app->n_mount_points; i++) {
		const struct mount_point *mp = &a->app->mount_points[i];
		_cleanup_free_ char *name = xasprintf("%s-%s", a->runtime->name, mp->name);

		if (str_starts(v->name, name) && str_eq(mp->path, pm->path))
			return true;
	}
	return false;
}

/* What the pod manifest mounts into the app. */
static int pod_mounts(const struct pod *pod, const struct pod_app *a, struct plan *plan,
		      struct plan_app *pa, struct err *e)
{
	const struct runtime_app *ra = a->runtime;

	for (size_t i = 0; i < ra->n_mounts; i++) {
		const struct pod_mount *pm = &ra->mounts[i];
		const struct volume *v = pm->app_volume ? pm->app_volume
							: pod_manifest_volume(pod->manifest, pm->volume);
		int r;

		if (!v)
			return err_set(e, EINVAL, "dangling mount point: there is no volume %s for %s",
				       q(pm->volume), q(pm->path));
		r = add_volume(plan, pa, v->name, v, pm->app_volume != NULL, pm->path, false, e);
		if (r < 0)
			return err_ctx(e, r, "volume %s", q(pm->volume));
		pa->mounts[pa->n_mounts - 1].filled = plan_is_of_docker(a->image) && is_implicit(a, pm, v);
	}
	return 0;
}

/* What the app declares: satisfied by a mount on its path, else by a volume of its name, else made up. */
static int mount_points(const struct pod *pod, const struct pod_app *a, struct plan *plan, struct plan_app *pa,
			struct err *e)
{
	for (size_t i = 0; i < a->app->n_mount_points; i++) {
		const struct mount_point *mp = &a->app->mount_points[i];
		const struct volume *v = pod_manifest_volume(pod->manifest, mp->name);
		_cleanup_free_ char *target = path_clean(mp->path);
		struct plan_mount *m = at_target(pa, target);
		int r;

		if (m) {
			m->read_only |= mp->read_only && !m->read_only_given;
			continue;
		}
		r = add_volume(plan, pa, mp->name, v, !v, mp->path, mp->read_only, e);
		if (r < 0)
			return err_ctx(e, r, "mount point %s", q(mp->name));
		if (v)
			continue;
		pa->mounts[pa->n_mounts - 1].filled = plan_is_of_docker(a->image);
		strv_push(&plan->notes,
			  xasprintf("app %s: no volume specified for mount point %s, implicitly "
				    "creating an \"empty\" volume; it is removed with the pod",
				    pa->name, q(mp->name)));
	}
	return 0;
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1];
	return n;
}

/* Insertion sort, which keeps the order of equals: outer mounts before those that lie below them. */
static void sort_by_depth(struct plan_mount *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct plan_mount m = v[i];
		size_t j = i;

		for (; j > 0 && depth(v[j - 1].target) > depth(m.target); j--)
			v[j] = v[j - 1];
		v[j] = m;
	}
}

int plan_mounts(const struct pod *pod, const struct pod_app *a, struct plan *plan, struct plan_app *pa,
		struct err *e)
{
	int r = pod_mounts(pod, a, plan, pa, e);

	if (r < 0)
		return r;
	r = mount_points(pod, a, plan, pa, e);
	if (r < 0)
		return r;
	sort_by_depth(pa->mounts, pa->n_mounts);
	return plan_masking(pod, plan, pa, e);
}
