/*
 * What of an image its volumes hide (appc specification, "Volume Setup": the user is to be told), and
 * targets on which nothing can be mounted.  Looked up in the image's tree; what a pod that runs again has
 * written since is its own business.
 */
#include <errno.h>
#include <sys/xattr.h>

#include "base/path.h"
#include "base/str.h"
#include "stage1/run/plan.h"

/* The volume in which the target of this one lies: mounts are in the order of their depth. */
static const struct plan_mount *outer_of(const struct plan_app *pa, size_t i)
{
	for (size_t k = i; k-- > 0;)
		if (path_is_below(pa->mounts[i].target, pa->mounts[k].target))
			return &pa->mounts[k];
	return NULL;
}

static void note(struct plan *plan, const struct plan_app *pa, const struct plan_mount *m, const char *what)
{
	strv_push(&plan->notes, xasprintf("app %s: volume %s on %s: %s", pa->name, q(m->volume), q(m->target), what));
}

/*
 * An empty directory is as good as a volume of the same owner and mode, and without an overlay in the way: databases
 * want a file system for themselves.  Attributes that a volume does not have need the directory itself.
 */
static int take_after(const struct pod *pod, struct plan *plan, const struct plan_app *pa, struct plan_mount *m,
		      struct err *e)
{
	_cleanup_stack_node_ struct stack_node node = STACK_NODE_INIT;
	int r = tree_find_dir(pa->tree, pod->dir, m->target, &node, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->n_volumes; i++) {
		struct plan_volume *v = &plan->volumes[i];

		if (!str_eq(v->path, m->path) || flistxattr(node.dir.fds[0], NULL, 0) > 0)
			continue;
		v->mode = node.st.st_mode & 07777;
		v->uid = node.st.st_uid;
		v->gid = node.st.st_gid;
		m->filled = false;
	}
	return 0;
}

static int look_at(const struct pod *pod, struct plan *plan, const struct plan_app *pa, struct plan_mount *m,
		   struct err *e)
{
	enum tree_has has;
	int r = tree_look(pa->tree, pod->dir, m->target, &has, e);

	if (r < 0 || has == TREE_NOTHING)
		return r;
	if (has != TREE_OTHER && !m->dir)
		return err_set(e, EISDIR, "a file cannot be mounted on the directory %s of the image", q(m->target));
	if (has == TREE_EMPTY_DIR && m->filled && plan->overlay)
		return take_after(pod, plan, pa, m, e);
	if (has == TREE_DIR && !m->filled)
		note(plan, pa, m, "what the image has there is hidden by it");
	else if (has == TREE_OTHER)
		note(plan, pa, m, m->dir ? "the image has a file there, a directory takes its place"
					 : "the image's file there is hidden by it");
	return 0;
}

int plan_masking(const struct pod *pod, struct plan *plan, const struct plan_app *pa, struct err *e)
{
	for (size_t i = 0; i < pa->n_mounts; i++) {
		const struct plan_mount *outer = outer_of(pa, i);
		struct plan_mount *m = &pa->mounts[i];
		int r;

		if (!m->volume)
			continue;
		if (outer && outer->volume) {
			_cleanup_free_ char *what = xasprintf("it lies inside volume %s", q(outer->volume));

			note(plan, pa, m, what);
			continue;
		}
		r = outer ? 0 : look_at(pod, plan, pa, m, e);
		if (r < 0)
			return err_ctx(e, r, "volume %s", q(m->volume));
	}
	return 0;
}
