/*
 * What --interactive needs.  The operator's terminal never reaches the pod: whoever has it could type
 * into the operator's shell (TIOCSTI, CVE-2017-5226).  The app gets one of its own instead, made in the
 * devpts that will be its /dev/pts, so that it finds its terminal under the name that the kernel tells;
 * the monitor copies between the two.
 *
 * Where standard input is no terminal, the app gets a pipe that the monitor fills, not the descriptor:
 * that of a file could be opened again by way of /proc/self/fd, for writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "stage1/run/sandbox.h"
#include "sys/mountapi.h"

/* The new terminal treats a line as the operator's does. Set before the app can set it itself. */
static void copy_settings(int pty)
{
	struct termios t;
	struct winsize ws;

	if (tcgetattr(STDIN_FILENO, &t) == 0)
		(void) tcsetattr(pty, TCSANOW, &t);
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0)
		(void) ioctl(pty, TIOCSWINSZ, &ws);
}

/* Where it will be found: in a chroot that is the host's devpts. */
static int open_master(struct sandbox *sb, struct err *e)
{
	/* As stage2/dev.c makes it for an app without a terminal. */
	const struct id_map *ids = &sb->plan->ids;
	_cleanup_free_ char *uid = xasprintf("%u", ids->shift), *gid = xasprintf("%u", ids->shift + 5);
	const struct mnt_option options[] = {{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"},
					     {"gid", gid}, {ids->count ? "uid" : NULL, uid}, {NULL, NULL}};

	if (sb->plan->chroot) {
		sb->pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		return 0;
	}
	sb->pts = mnt_new("devpts", options, MNT_ATTR_NOSUID | MNT_ATTR_NOEXEC, e);
	if (sb->pts < 0)
		return sb->pts;
	sb->pty = openat(sb->pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	return 0;
}

static int make_terminal(struct sandbox *sb, struct err *e)
{
	int unlocked = 0, r = open_master(sb, e);

	if (r < 0)
		return r;
	if (sb->pty < 0 || ioctl(sb->pty, TIOCSPTLCK, &unlocked) < 0)
		return err_sys(e, "make a terminal");
	/* By the master's descriptor, not by a name (CVE-2025-52565). */
	sb->tty = ioctl(sb->pty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (sb->tty < 0)
		return err_sys(e, "open the new terminal");
	copy_settings(sb->pty);
	return 0;
}

int sandbox_streams(struct sandbox *sb, struct err *e)
{
	if (!sb->plan->interactive)
		return 0;
	if (sb->plan->terminal)
		return make_terminal(sb, e);
	return pipe2(sb->in, O_CLOEXEC) < 0 ? err_sys(e, "pipe") : sandbox_own(sb, sb->in[0], e);
}
