/*
 * The pod's control groups: written down first, made then, so that gc can take back whatever there is.
 */
#include "base/file.h"
#include "contract/layout.h"
#include "stage1/run/sandbox.h"

static int write_list(struct sandbox *sb, struct err *e)
{
	_cleanup_free_ char *text = strv_join(sb->plan->cgroups, "\n");
	_cleanup_free_ char *lines = xasprintf("%s\n", text);

	return file_write_at(sb->pod, POD_CGROUP, lines, strlen(lines), 0644, FILE_FAST, e);
}

int sandbox_cgroups(struct sandbox *sb, struct err *e)
{
	int r;

	if (!sb->cgroups)
		return 0;
	r = write_list(sb, e);
	if (r < 0)
		return r;
	sb->cgroups_listed = true;
	if (sb->plan->limited) {
		r = cg_make(sb->cgroups, sb->plan->group, &sb->plan->limits, e);
		if (r < 0)
			return err_ctx(e, r, "the pod's limits");
	}
	r = cg_make_init(sb->cgroups, sb->plan->group, POD_INIT_LEAF, &sb->init_leaf, e);
	for (size_t i = 0; r == 0 && i < sb->plan->n_apps; i++) {
		const struct plan_app *pa = &sb->plan->apps[i];

		r = cg_make(sb->cgroups, pa->group, &pa->limits, e);
		if (r == 0)
			r = cg_open_leaf(sb->cgroups, pa->group, &sb->apps[i].leaf, e);
		if (r < 0)
			return err_ctx(e, r, "app %s", pa->name);
	}
	return r;
}
