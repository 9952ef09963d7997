#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "stage0/pod/pod.h"

/* How often a look at the pod by somebody else may come in between; each lasts microseconds. */
#define LOCK_TRIES 10000

int pod_lock(struct pod *p)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (lock_fd(p->dir, LOCK_EXCLUSIVE, false) == 0) {
			if (pod_in_place(p))
				return 0;
			(void) lock_fd(p->dir, LOCK_UNLOCK, false);
			return -ENOENT;
		}
		/* Shared works: then only a look was in the way, not an owner. */
		if (lock_fd(p->dir, LOCK_SHARED, false) < 0)
			return -EWOULDBLOCK;
		(void) lock_fd(p->dir, LOCK_UNLOCK, false);
		sched_yield();
	}
	return -EWOULDBLOCK;
}

int pod_move(struct pod *p, enum pod_phase to, bool durable, struct err *e)
{
	char from_path[64], to_path[64];

	(void) snprintf(from_path, sizeof from_path, "%s/%s", pod_phase_dir(p->phase), p->uuid);
	(void) snprintf(to_path, sizeof to_path, "%s/%s", pod_phase_dir(to), p->uuid);
	/*
	 * No such file: the directory of the phase, if it is not there yet; else somebody was
	 * faster.
	 */
	if (renameat(p->pods, from_path, p->pods, to_path) < 0 &&
	    (errno != ENOENT || pods_make_phase(p->pods, to) < 0 ||
	     renameat(p->pods, from_path, p->pods, to_path) < 0))
		return err_sys(e, "move pod to %s", pod_phase_dir(to));
	p->phase = to;
	if (durable) {
		_cleanup_fd_ int parent =
			openat(p->pods, pod_phase_dir(to), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (parent < 0 || fsync(parent) < 0)
			return err_sys(e, "sync pods/%s", pod_phase_dir(to));
	}
	return 0;
}
