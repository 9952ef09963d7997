/*
 * Identity and capabilities, by raw system calls (a static program has no libcap).  What the app
 * gets in the end is decided by execve(2) (capabilities(7)): of user 0 the bounding set, of any
 * other the ambient set, which is empty unless asked for.  The inheritable set equals the ambient
 * one (CVE-2022-29162: with more, files of the image would give capabilities).
 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stage2/stage2.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

int step_bounding(struct stage2 *s, struct err *e)
{
	for (int cap = 0; cap < 64; cap++) {
		if (s->rec.caps_bounding & CAP_BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			/* Beyond the kernel's last one. */
			if (errno == EINVAL)
				break;
			return err_sys(e, "drop capability %d", cap);
		}
	}
	return 0;
}

static int set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct) {
			.effective = (uint32_t) (effective >> 32 * i),
			.permitted = (uint32_t) (permitted >> 32 * i),
			.inheritable = (uint32_t) (inheritable >> 32 * i),
		};
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static int raise_ambient(uint64_t ambient, struct err *e)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "clear ambient capabilities");
	for (int cap = 0; cap < 64; cap++)
		if (ambient & CAP_BIT(cap) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_sys(e, "raise ambient capability %d", cap);
	return 0;
}

/* Unix98 slaves (Documentation/admin-guide/devices.txt of the kernel). */
#define IS_PTS(st) (S_ISCHR((st).st_mode) && major((st).st_rdev) >= 136 && major((st).st_rdev) <= 143)

/*
 * A pipe or a terminal belongs to its maker: an app that is not root could not open /dev/stdout
 * otherwise.  Under `enter` the pipes are the operator's and stay that; a terminal is never the
 * operator's.
 */
static void own_streams(uid_t uid, bool pipes)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && ((pipes && S_ISFIFO(st.st_mode)) || IS_PTS(st)))
			(void) fchown(fd, uid, (gid_t) -1);
	}
}

int step_identity(struct stage2 *s, struct err *e)
{
	/* A filter without no-new-privs needs it; execve(2) takes it away again. */
	uint64_t admin = s->rec.seccomp && !s->rec.no_new_privs ? CAP_BIT(CAP_SYS_ADMIN) : 0;
	uint64_t ambient = s->rec.caps_ambient, held = admin;
	int r;

	if (s->uid == 0)
		held |= s->rec.caps_bounding;
	if (s->uid != 0 && s->phase != PHASE_HANDLER)
		own_streams(s->uid, s->phase == PHASE_MAIN);
	/* CVE-2022-2989: exactly the groups that were asked for, none of ours. */
	if (syscall(SYS_setgroups, s->phase == PHASE_HANDLER ? 0 : s->rec.n_gids, s->rec.gids) < 0)
		return err_sys(e, "set supplementary groups");
	if (s->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(e, "keep capabilities");
	if (setresgid(s->gid, s->gid, s->gid) < 0)
		return err_sys(e, "become group %u", s->gid);
	if (setresuid(s->uid, s->uid, s->uid) < 0)
		return err_sys(e, "become user %u", s->uid);
	r = set_caps(held, held | ambient, ambient);
	/* A bit beyond the kernel's last capability, or one that the caller does not hold. */
	if (r == -EPERM)
		return err_set(e, EPERM,
			       "set capabilities: not all that the app shall have are at hand");
	if (r < 0)
		return err_sysr(e, r, "set capabilities");
	return raise_ambient(ambient, e);
}

int step_no_new_privs(struct stage2 *s, struct err *e)
{
	if (s->rec.no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "set no-new-privileges");
	return 0;
}
