/*
 * What of an image its volumes hide (appc specification, "Volume Setup": the user is to be told), and
 * targets on which nothing can be mounted.  Looked up in the image's tree; what a pod that runs again has
 * written since is its own business.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "stage1/run/plan.h"

static bool has_entries(int fd)
{
	_cleanup_dir_ DIR *d = fdopendir(fd);
	struct dirent *de;

	while (d && (de = readdir(d)))
		if (!str_eq(de->d_name, ".") && !str_eq(de->d_name, ".."))
			return true;
	return false;
}

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

static int look_at(int tree, struct plan *plan, const struct plan_app *pa, const struct plan_mount *m, struct err *e)
{
	int fd = path_open_beneath(tree, m->target, O_RDONLY | O_DIRECTORY, 0, PATH_IN_ROOT);
	_cleanup_fd_ int other = -EBADF;

	if (fd >= 0 && !m->dir) {
		(void) fd_close(fd);
		return err_set(e, EISDIR, "a file cannot be mounted on the directory %s of the image", q(m->target));
	}
	if (fd >= 0) {
		if (m->filled)
			(void) fd_close(fd);
		else if (has_entries(fd))
			note(plan, pa, m, "what the image has there is hidden by it");
		return 0;
	}
	if (fd != -ENOTDIR)
		return 0;
	other = path_open_beneath(tree, m->target, O_PATH, 0, PATH_IN_ROOT);
	if (other >= 0)
		note(plan, pa, m, m->dir ? "the image has a file there, a directory takes its place"
					 : "the image's file there is hidden by it");
	return 0;
}

int plan_masking(const struct pod *pod, struct plan *plan, const struct plan_app *pa, struct err *e)
{
	_cleanup_fd_ int tree = -EBADF;

	if (!pa->n_mounts)
		return 0;
	tree = openat(pod->dir, pa->tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return err_sys(e, "open the image's tree %s", pa->tree);
	for (size_t i = 0; i < pa->n_mounts; i++) {
		const struct plan_mount *m = &pa->mounts[i], *outer = outer_of(pa, i);
		int r;

		if (!m->volume)
			continue;
		if (outer && outer->volume) {
			_cleanup_free_ char *what = xasprintf("it lies inside volume %s", q(outer->volume));

			note(plan, pa, m, what);
			continue;
		}
		r = outer ? 0 : look_at(tree, plan, pa, m, e);
		if (r < 0)
			return err_ctx(e, r, "volume %s", q(m->volume));
	}
	return 0;
}
