#include "stage0/pod/mounts.h"

#include <errno.h>

#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/ac_name.h"

/* A target is a place in the app's root, so "dir" is "/dir", as with rkt; "" is no target. */
static char *target_path(const char *text)
{
	return *text && *text != '/' ? xasprintf("/%s", text) : xstrdup(text);
}

/* "volume=NAME,target=PATH" */
static int parse_mount(const char *text, struct pod_mount *ret, struct err *e)
{
	_cleanup_strv_ char **parts = strv_split(text, ',');

	*ret = (struct pod_mount) {0};
	for (char **p = parts; *p; p++) {
		if (str_starts(*p, "volume=") && !ret->volume)
			ret->volume = xstrdup(*p + strlen("volume="));
		else if (str_starts(*p, "target=") && !ret->path)
			ret->path = target_path(*p + strlen("target="));
		else
			return err_set(e, EINVAL, "--mount %s: unknown or repeated word %s",
				       q(text), q(*p));
	}
	if (!ret->volume || ac_name_check(ret->volume))
		return err_set(e, EINVAL, "--mount %s: volume=NAME is needed", q(text));
	if (!ret->path || ac_absolute_path_check(ret->path))
		return err_set(e, EINVAL, "--mount %s: target=PATH is needed", q(text));
	return 0;
}

static bool has_mount_at(const struct runtime_app *ra, const char *path)
{
	_cleanup_free_ char *clean = path_clean(path);

	for (size_t i = 0; i < ra->n_mounts; i++) {
		_cleanup_free_ char *other = path_clean(ra->mounts[i].path);

		if (!strcmp(clean, other))
			return true;
	}
	return false;
}

static void add_mount(struct runtime_app *ra, struct pod_mount m)
{
	ra->mounts = xgrow(ra->mounts, ra->n_mounts, sizeof *ra->mounts);
	ra->mounts[ra->n_mounts++] = m;
}

/*
 * Mounts of the command line: the app's own first, so that it wins over the global one for a path.
 */
static int add_mounts(char *const *texts, struct runtime_app *ra, bool own, struct err *e)
{
	for (; texts && *texts; texts++) {
		struct pod_mount m;
		int r = parse_mount(*texts, &m, e);

		if (r == 0 && !has_mount_at(ra, m.path)) {
			add_mount(ra, m);
			continue;
		}
		if (r == 0 && own)
			r = err_set(e, EINVAL, "--mount %s: the target is there twice", q(*texts));
		free(m.volume);
		free(m.path);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * An empty volume that nobody asked for belongs to the one app: two images that both call something
 * "data" do not mean the same directory.  rkt names it like this as well.
 */
static const char *add_implicit_volume(struct pod_manifest *pm, const char *app,
				       const char *mount_point)
{
	char *name = xasprintf("%s-%s", app, mount_point);

	for (unsigned n = 2; pod_manifest_volume(pm, name); n++) {
		free(name);
		name = xasprintf("%s-%s-%u", app, mount_point, n);
	}
	pm->volumes = xgrow(pm->volumes, pm->n_volumes, sizeof *pm->volumes);
	pm->volumes[pm->n_volumes++] = (struct volume) {
		.name = name, .kind = VOLUME_EMPTY, .recursive = true, .mode = 0755};
	return name;
}

/* The image's mount points: a volume of that name, else an empty one made for it. */
static void satisfy_mount_points(struct pod_manifest *pm, struct runtime_app *ra)
{
	for (size_t i = 0; i < ra->app->n_mount_points; i++) {
		const struct mount_point *mp = &ra->app->mount_points[i];
		const char *volume = mp->name;

		if (has_mount_at(ra, mp->path))
			continue;
		if (!pod_manifest_volume(pm, volume)) {
			log_warning("no volume specified for mount point %s, implicitly creating an "
				    "\"empty\" volume. This volume will be removed when the pod is "
				    "garbage-collected.", q(mp->name));
			volume = add_implicit_volume(pm, ra->name, mp->name);
		}
		add_mount(ra, (struct pod_mount) {.volume = xstrdup(volume),
						  .path = xstrdup(mp->path)});
	}
}

int volumes_add(const struct pod_request *req, struct pod_manifest *pm, struct err *e)
{
	for (char **v = req->volumes; v && *v; v++) {
		struct volume vol = {0};
		int r = volume_parse(*v, &vol, e);

		if (r < 0)
			return err_ctx(e, r, "--volume");
		if (pod_manifest_volume(pm, vol.name)) {
			r = err_set(e, EINVAL, "--volume: volume %s is there twice", q(vol.name));
			volume_done(&vol);
			return r;
		}
		pm->volumes = xgrow(pm->volumes, pm->n_volumes, sizeof *pm->volumes);
		pm->volumes[pm->n_volumes++] = vol;
	}
	return 0;
}

int mounts_apply(const struct pod_request *req, const struct app_request *a,
		 struct pod_manifest *pm, struct runtime_app *ra, struct err *e)
{
	int r = add_mounts(a->mounts, ra, true, e);

	if (r == 0)
		r = add_mounts(req->mounts, ra, false, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ra->n_mounts; i++)
		if (!pod_manifest_volume(pm, ra->mounts[i].volume))
			return err_set(e, EINVAL, "dangling mount point: no volume %s for %s",
				       q(ra->mounts[i].volume), q(ra->mounts[i].path));
	satisfy_mount_points(pm, ra);
	return 0;
}
