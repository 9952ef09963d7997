/*
 * Landlock: writing only where the worker's own files are.  Best effort: a second wall behind the
 * private root, absent on kernels without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "stage0/worker/jail.h"

/* Everything of ABI 1 that changes a file system, and (ABI 2) linking across directories. */
#define CHANGES                                                                                    \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |   \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |  \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif

static int allow(int rules, int dir, uint64_t access)
{
	struct landlock_path_beneath_attr attr = {.allowed_access = access, .parent_fd = dir};

	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0 ? -errno : 0;
}

int jail_landlock(const struct jail *j, struct err *e)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {.handled_access_fs = CHANGES | (abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0)};
	_cleanup_fd_ int rules = -EBADF, dir = -EBADF;
	int r;

	/* ABI 1 forbids hard links between directories altogether, which an image may have. */
	if (abi < 1 || (abi < 2 && j->root >= 0)) {
		log_debug("landlock: not available");
		return 0;
	}
	rules = (int) syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	dir = j->root >= 0 ? fd_copy(j->root) : open(JAIL_HOME, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rules < 0 || dir < 0)
		return err_sys(e, "landlock");
	r = allow(rules, dir, attr.handled_access_fs);
	if (r == 0 && j->root < 0) {
		_cleanup_fd_ int null = open("/dev/null", O_PATH | O_CLOEXEC);

		if (null >= 0)
			r = allow(rules, null, LANDLOCK_ACCESS_FS_WRITE_FILE);
	}
	if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		r = -errno;
	return r < 0 ? err_sysr(e, r, "landlock") : 0;
}
