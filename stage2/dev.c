/*
 * /dev: a small tmpfs of our own, never the image's.  Its nodes are single binds of those in the
 * pod's small root, which init bound from the host and checked; so no app needs to make or open a
 * node, and the tmpfs itself is nodev.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "stage2/stage2.h"
#include "sys/mountapi.h"

/* Relative names are below the new /dev: it is the working directory while it is filled. */
static const struct {
	const char *from, *to;
} nodes[] = {
	{"/dev/null", "null"},
	{"/dev/zero", "zero"},
	{"/dev/full", "full"},
	{"/dev/random", "random"},
	{"/dev/urandom", "urandom"},
	{"/dev/tty", "tty"},
	/*
	 * The specification wants one to be there; an app without a terminal has nothing to say on
	 * it.
	 */
	{"/dev/null", "console"},
};

static const struct {
	const char *to, *name;
} links[] = {
	{"pts/ptmx", "ptmx"},
	{"/proc/self/fd", "fd"},
	{"/proc/self/fd/0", "stdin"},
	{"/proc/self/fd/1", "stdout"},
	{"/proc/self/fd/2", "stderr"},
};

static int bind_nodes(struct err *e)
{
	int r;

	for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
		if (mknod(nodes[i].to, S_IFREG | 0600, 0) < 0)
			return err_sys(e, "create /dev/%s", nodes[i].to);
		r = mnt_bind(nodes[i].from, nodes[i].to);
		if (r < 0)
			return err_sysr(e, r, "bind /dev/%s", nodes[i].to);
	}
	return 0;
}

/* On a new directory of /dev. */
static int attach_below(int mnt, const char *name, struct err *e)
{
	_cleanup_fd_ int dir = -EBADF;
	int r;

	if (mkdir(name, 0755) < 0)
		return err_sys(e, "mkdir /dev/%s", name);
	dir = open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = dir < 0 ? -errno : mnt_attach(mnt, dir, 0, false);
	return r < 0 ? err_sysr(e, r, "attach /dev/%s", name) : 0;
}

/* A file system of our own there. */
static int mount_below(const char *type, const char *name, const struct mnt_option *options,
		       unsigned attrs, struct err *e)
{
	_cleanup_fd_ int mnt = mnt_new(type, options, attrs, e);

	return mnt < 0 ? mnt : attach_below(mnt, name, e);
}

/* Terminals of this app only, so that none of them is anybody else's (CVE-2025-52565). */
static int mount_pts(const struct stage2 *s, struct err *e)
{
	static const struct mnt_option options[] = {
		{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"},
		{"gid", "5"},	       {NULL, NULL},
	};

	/* With a terminal in it already (stage1/run/streams.c). */
	if (s->pts >= 0)
		return attach_below(s->pts, "pts", e);
	return mount_below("devpts", "pts", options, MNT_ATTR_NOSUID | MNT_ATTR_NOEXEC, e);
}

/* In a user namespace the host's can only be had from run, by way of init. */
static int mount_mqueue(const struct stage2 *s, struct err *e)
{
	static const unsigned attrs = MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC;
	_cleanup_fd_ int hosts = s->rec.private_users ? mnt_clone(AT_FDCWD, "/mqueue", false) : -EBADF;
	_cleanup_err_ struct err own = ERR_INIT;
	int r;

	if (hosts >= 0)
		return attach_below(hosts, "mqueue", e);
	r = mount_below("mqueue", "mqueue", NULL, attrs, &own);

	/* Kernels without message queues exist. */
	return r < 0 && r != -ENODEV ? err_move(e, &own) : 0;
}

static int make_shm(const struct stage2 *s, struct err *e)
{
	int r;

	if (mkdir("shm", 0755) < 0)
		return err_sys(e, "mkdir /dev/shm");
	r = s->rec.shm ? mnt_bind("/shm", "shm") : 0;
	return r < 0 ? err_sysr(e, r, "bind /dev/shm") : 0;
}

static int fill(const struct stage2 *s, struct err *e)
{
	int r = bind_nodes(e);

	if (r == 0)
		r = mount_pts(s, e);
	if (r == 0)
		r = make_shm(s, e);
	if (r == 0)
		r = mount_mqueue(s, e);
	for (size_t i = 0; i < ELEMENTSOF(links) && r == 0; i++)
		if (symlink(links[i].to, links[i].name) < 0)
			r = err_sys(e, "link /dev/%s", links[i].name);
	return r;
}

int step_dev(struct stage2 *s, struct err *e)
{
	static const struct mnt_option options[] = {
		{"mode", "0755"}, {"size", "4m"}, {"nr_inodes", "4096"}, {NULL, NULL},
	};
	_cleanup_fd_ int dir = root_own_dir(s, "dev", e), mnt = -EBADF;
	int r;

	if (dir < 0)
		return dir;
	mnt = mnt_new("tmpfs", options, MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC, e);
	if (mnt < 0)
		return mnt;
	r = mnt_attach(mnt, dir, 0, false);
	if (r < 0)
		return err_sysr(e, r, "attach /dev");
	if (fchdir(mnt) < 0)
		return err_sys(e, "change directory to /dev");
	r = fill(s, e);
	if (r == 0 && chdir("/") < 0)
		r = err_sys(e, "change directory to /");
	return r;
}

/* In a chroot: over the host's, so that the app finds its terminal under the name that the kernel tells. */
int step_pts(struct stage2 *s, struct err *e)
{
	_cleanup_fd_ int dir = -EBADF;
	int r;

	if (s->pts < 0)
		return 0;
	dir = path_open_beneath(s->root, "dev/pts", O_PATH | O_DIRECTORY, 0, PATH_NO_LINKS);
	r = dir < 0 ? dir : mnt_attach(s->pts, dir, 0, false);
	return r < 0 ? err_sysr(e, r, "attach /dev/pts") : 0;
}
