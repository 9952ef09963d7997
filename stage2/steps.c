/*
 * THE table: what stands between a started process and the app's program, in its order.  Every step
 * is applied or the app does not start.  The record says what, never when.
 */
#include "contract/exit.h"
#include "stage2/stage2.h"

#define MAIN PHASE_MAIN
/* As MAIN, where only the root is the app's own: the record says so. */
#define CHROOT 8u
#define START (MAIN | CHROOT)
#define AGAIN PHASE_AGAIN
#define JOINS (PHASE_HANDLER | PHASE_ENTER | AGAIN | PHASE_CHECK)
#define ALL (START | JOINS)

static const struct step {
	const char *name;
	unsigned phases;
	int (*make)(struct stage2 *s, struct err *e);
	int status; /* of a failure */
} steps[] = {
	/*
	 * First, so that everything from here on is accounted, limited and killable with the app.
	 */
	{"cgroup", ALL, step_cgroup, EXIT_FAILED},
	/* A terminal of the operator is not the app's to type into (CVE-2017-5226). */
	{"session", ALL, step_session, EXIT_FAILED},
	/* No PID namespace ends the app with the pod's init: the kernel is asked to. */
	{"parent", CHROOT, step_parent, EXIT_FAILED},
	/*
	 * Needs the caller's /proc, so before the namespace is left; lowering needs
	 * CAP_SYS_RESOURCE.
	 */
	{"oom-score-adj", ALL, step_oom_score, EXIT_FAILED},
	{"rlimits", ALL, step_rlimits, EXIT_FAILED},

	/*
	 * A mount namespace for each app: what one mounts no other sees, and none can leave by
	 * chroot.
	 */
	{"namespaces", START, step_namespaces, EXIT_FAILED},
	{"namespaces", JOINS, step_join, EXIT_FAILED},
	{"root", START, step_root, EXIT_FAILED},
	/* Ours, before anything of the operator or the image could stand in their place. */
	{"proc", MAIN, step_proc, EXIT_FAILED},
	{"sys", MAIN, step_sys, EXIT_FAILED},
	{"dev", MAIN, step_dev, EXIT_FAILED},
	/* After them, so that a volume may lie on /sys or on a device node; never on /proc. */
	{"volumes", START, step_volumes, EXIT_FAILED},
	{"terminal", CHROOT, step_pts, EXIT_FAILED},
	/*
	 * On our own procfs and sysfs, whatever volumes lie above; masks first, the read-only
	 * clones keep them.
	 */
	{"masks", MAIN, step_masks, EXIT_FAILED},
	{"read-only-paths", MAIN, step_read_only_paths, EXIT_FAILED},
	/* When all mount points have been made. */
	{"read-only-root", START, step_read_only_root, EXIT_FAILED},
	/* From here on no path leads out of the app's root. */
	{"pivot-root", START, step_pivot, EXIT_FAILED},

	/*
	 * Has the app's namespaces, and makes all steps below itself: it is confined as the app is.
	 */
	{"pre-start", START | AGAIN, step_pre_start, EXIT_FAILED},
	/* While all ports are ours to bind. */
	{"sockets", START | AGAIN, step_sockets, EXIT_FAILED},
	/* Inside the final root, because a volume may bring its own /etc/passwd. */
	{"user", ALL, step_user, EXIT_FAILED},
	/* Before the change of identity: dropping needs CAP_SETPCAP. */
	{"capabilities", ALL, step_bounding, EXIT_FAILED},
	/* Groups, then ids, then the sets; leaves CAP_SYS_ADMIN where the filter needs it. */
	{"identity", ALL, step_identity, EXIT_FAILED},
	/* The change of identity has made the kernel forget it (prctl(2)). */
	{"parent", CHROOT, step_parent, EXIT_FAILED},
	{"no-new-privs", ALL, step_no_new_privs, EXIT_FAILED},
	/* Takes effect with the exec. Before the filter, which need not allow it. */
	{"lsm", ALL, step_lsm, EXIT_FAILED},
	/* As the app's user, and before the filter: it need not allow what only we do. */
	{"cwd", ALL, step_cwd, EXIT_FAILED},
	/* What is no program is done here, and ends here: the filter need not allow it. */
	{"check", PHASE_CHECK, step_check, EXIT_FAILED},
	{"exec", ALL, step_program, EXIT_EXEC},
	{"report", START | AGAIN, step_ready, EXIT_FAILED},
	/* Last: the filter must allow execve(2) and nothing more for our sake. */
	{"seccomp", ALL, step_seccomp, EXIT_FAILED},
	{"exec", ALL, step_exec, EXIT_EXEC},
};

int stage2_steps(struct stage2 *s, struct err *e)
{
	/* A pre-start handler comes in again behind the step that forked it. */
	static size_t i;

	while (i < ELEMENTSOF(steps)) {
		unsigned phase = s->phase == PHASE_MAIN && s->rec.chroot ? CHROOT : s->phase;
		const struct step *step = steps + i++;
		int r;

		if (!(step->phases & phase))
			continue;
		s->step = step->name;
		s->status = step->status;
		r = step->make(s, e);
		if (r < 0)
			return r;
	}
	return 0;
}
