/*
 * Reading the pod directory.
 */
#include "stage1/run/pod.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "spec/image_id.h"
#include "spec/uuid.h"

/* The trees of an overlay pod: of the store, by the ids that stage0 wrote down. */
static int store_trees(int dir, const char *app, struct tree **ret, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_TREE_ID, app), *text = NULL;
	_cleanup_strv_ char **ids = NULL;
	const char *wrong;
	int r = file_read_line_at(dir, path, &text, e);

	if (r < 0)
		return r;
	ids = tree_ids_parse(text, &wrong);
	if (!ids)
		return err_set(e, EINVAL, "%s: %s", path, wrong);
	for (char **id = ids; *id; id++) {
		char *of_it = xasprintf(POD_STORE_TREE "/%s/" TREE_ROOTFS, *id);

		free(*id);
		*id = of_it;
	}
	*ret = tree_new(take_ptr(ids));
	return 0;
}

/* That of another: a copy which stage0 has made. */
static struct tree *own_tree(const char *app)
{
	char **path = NULL;

	strv_push(&path, xasprintf(POD_APPSINFO "/%s/" APP_ROOTFS, app));
	return tree_new(path);
}

static int load_app(struct pod *p, const struct runtime_app *runtime, struct pod_app *a, struct err *e)
{
	_cleanup_free_ char *path = xasprintf(POD_APPSINFO "/%s/" APP_MANIFEST, runtime->name);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	a->runtime = runtime;
	r = file_read_at(p->dir, path, JSON_MANIFEST_MAX, &text, &len, e);
	if (r < 0)
		return r;
	a->image = image_manifest_parse(text, len, e);
	if (!a->image)
		return -EINVAL;
	a->app = runtime->app ? runtime->app : a->image->app;
	if (!a->app)
		return err_set(e, EINVAL, "neither the pod nor the image says what to run");
	if (p->overlay)
		return store_trees(p->dir, runtime->name, &a->tree, e);
	a->tree = own_tree(runtime->name);
	return 0;
}

int pod_load(int dir, const char *uuid, struct pod **ret, struct err *e)
{
	_cleanup_pod_ struct pod *p = xcalloc(1, sizeof *p);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	p->dir = dir;
	p->uuid = xstrdup(uuid);
	if (uuid_check(uuid))
		return err_set(e, EINVAL, "%s is no UUID", q(uuid));
	r = file_read_at(dir, POD_MANIFEST, JSON_MANIFEST_MAX, &text, &len, e);
	if (r < 0)
		return r;
	p->manifest = pod_manifest_parse(text, len, e);
	if (!p->manifest)
		return -EINVAL;
	if (!p->manifest->n_apps)
		return err_set(e, EINVAL, "the pod has no apps");
	p->overlay = faccessat(dir, POD_OVERLAY, F_OK, 0) == 0;
	p->apps = xcalloc(p->manifest->n_apps, sizeof *p->apps);
	for (; p->n_apps < p->manifest->n_apps; p->n_apps++) {
		const struct runtime_app *runtime = &p->manifest->apps[p->n_apps];

		r = load_app(p, runtime, &p->apps[p->n_apps], e);
		if (r < 0) {
			p->n_apps++;
			return err_ctx(e, r, "app %s", runtime->name);
		}
	}
	*ret = take_ptr(p);
	return 0;
}

void pod_free(struct pod *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_apps; i++) {
		image_manifest_free(p->apps[i].image);
		tree_free(p->apps[i].tree);
	}
	free(p->apps);
	pod_manifest_free(p->manifest);
	free(p->uuid);
	free(p);
}
