#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/str.h"
#include "contract/layout.h"
#include "stage0/context.h"
#include "stage0/pod/name.h"
#include "stage0/pod/stage1.h"
#include "stage0/service/register.h"

/*
 * stage1 takes back what it made outside the pod directory. A pod that was started with a stage1
 * which is gone is cleaned by the present default one: the records that it reads are versioned.
 */
static int call_gc(const struct gantry *g, struct pod *p, struct err *e)
{
	_cleanup_stage1_ struct stage1 s = STAGE1_INIT;
	_cleanup_err_ struct err why = ERR_INIT;
	struct entry_args args = {.uuid = p->uuid,
				  .local_config = g->local_config,
				  .debug = g->debug};
	int r = stage1_of_pod(p->dir, &s, &why);

	if (r < 0) {
		stage1_done(&s);
		r = stage1_default(g, &s, e);
	}
	if (r < 0)
		return r;
	if (!s.programs[ENTRY_GC])
		return 0;
	r = stage1_call(&s, ENTRY_GC, &args, p, e);
	if (r > 0)
		return err_set(e, EIO, "stage1 gc exited with status %d", r);
	return r;
}

/* Our own says by its records what there is to take back; what another one made, only it knows. */
static bool is_default_stage1(const struct gantry *g, const struct pod *p)
{
	_cleanup_free_ char *ours = path_join(g->libexec, STAGE1_DEFAULT), *its = NULL;

	if (file_read_line_at(p->dir, POD_STAGE1, &its, NULL) < 0)
		return true;
	its[strcspn(its, "\n")] = '\0';
	return !strcmp(its, ours);
}

/*
 * Nothing was ever made outside the directory: the records that stage1 writes first are not there.
 */
static bool needs_gc(const struct gantry *g, const struct pod *p)
{
	return faccessat(p->dir, POD_CGROUP, F_OK, 0) == 0 ||
	       faccessat(p->dir, POD_NET, F_OK, 0) == 0 ||
	       ((p->phase == PHASE_RUN || p->phase == PHASE_EXITED_GARBAGE) &&
		!is_default_stage1(g, p));
}

int pod_take_back(const struct gantry *g, struct pod *p, struct err *e)
{
	return needs_gc(g, p) ? call_gc(g, p, e) : 0;
}

int pod_remove(const struct gantry *g, struct pod *p, struct err *e)
{
	_cleanup_fd_ int parent = -EBADF;
	int r = pod_take_back(g, p, e);

	if (r < 0)
		return r;
	metadata_unregister(g, p);
	parent = openat(p->pods, pod_phase_dir(p->phase), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return err_sys(e, "open pods/%s", pod_phase_dir(p->phase));
	pod_name_release(p);
	return path_remove_tree(parent, p->uuid, e);
}
