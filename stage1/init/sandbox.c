/*
 * The pod's own small root: a tmpfs with what every app's /dev is bound from, the pod's shared
 * memory, its procfs, and a place for an app's root to hang until stage2 pivots to it.  Once it is
 * "/", the host can only be reached by the descriptors that we hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stage1/init/init.h"
#include "sys/mountapi.h"

static const struct {
	const char *host, *name;
	unsigned major, minor;
} nodes[] = {
	{"/dev/null", "dev/null", 1, 3},       {"/dev/zero", "dev/zero", 1, 5},
	{"/dev/full", "dev/full", 1, 7},       {"/dev/random", "dev/random", 1, 8},
	{"/dev/urandom", "dev/urandom", 1, 9}, {"/dev/tty", "dev/tty", 5, 0},
};

/* The working directory is the new root, "/" still the host's. */
static int bind_nodes(struct err *e)
{
	for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
		struct stat st;
		int r;

		if (mknod(nodes[i].name, S_IFREG | 0600, 0) < 0)
			return err_sys(e, "create %s", nodes[i].name);
		r = mnt_bind(nodes[i].host, nodes[i].name);
		if (r < 0)
			return err_sysr(e, r, "bind %s", nodes[i].host);
		/* What is bound now, not what was there a moment ago (CVE-2025-31133). */
		if (stat(nodes[i].name, &st) < 0)
			return err_sys(e, "stat %s", nodes[i].host);
		if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(nodes[i].major, nodes[i].minor))
			return err_set(e, ENODEV, "%s of the host is not the device %u:%u",
				       nodes[i].host, nodes[i].major, nodes[i].minor);
	}
	return 0;
}

/* A file system of our own on a new directory of the new root. */
static int mount_on(const char *name, int mnt, unsigned attrs, struct err *e)
{
	int dir, r;

	if (mnt < 0)
		return mnt;
	dir = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	r = dir < 0 ? -errno : mnt_attach(mnt, dir, attrs, false);
	(void) fd_close(dir);
	(void) fd_close(mnt);
	return r < 0 ? err_sysr(e, r, "attach /%s", name) : 0;
}

/*
 * The nodes are the host's own: on a mount that is read-only their mode and owner cannot be
 * changed, while the devices work as ever.  The same for the root itself and for /empty.
 */
static int make_read_only(int root, struct err *e)
{
	static const unsigned attrs = MNT_ATTR_RDONLY | MNT_ATTR_NOSUID;
	int r = mnt_set_attrs(root, attrs, true);

	if (r == -ENOSYS) {
		/* Before Linux 5.12: one by one. */
		r = 0;
		for (size_t i = 0; i < ELEMENTSOF(nodes) && r == 0; i++) {
			_cleanup_fd_ int node = open(nodes[i].name, O_PATH | O_CLOEXEC);

			r = node < 0 ? -errno : mnt_set_attrs(node, attrs, false);
		}
	}
	return r < 0 ? err_sysr(e, r, "make nodes read-only") : 0;
}

/*
 * What apps' masks are made of: a directory and a file of nothing, that nobody can put anything into, and
 * whose mode says so (systemd's inaccessible nodes, which rkt's apps have, look like this).
 */
static int make_covers(struct err *e)
{
	static const unsigned none = MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC | MNT_ATTR_RDONLY;
	static const char *const names[] = {"empty", "nothing"};
	int r = 0;

	if (mkdir("empty", 0) < 0 || mknod("nothing", S_IFREG, 0) < 0)
		return err_sys(e, "create what masks are made of");
	for (size_t i = 0; i < ELEMENTSOF(names) && r == 0; i++) {
		int mnt = mnt_clone(AT_FDCWD, names[i], false);

		r = mnt < 0 ? err_sysr(e, mnt, "clone /%s", names[i]) : mount_on(names[i], mnt, none, e);
	}
	return r;
}

/*
 * What stage2 gives each app a copy of, in a pod with a user namespace.  There a sysfs can be mounted only
 * while one that hides nothing is in sight (mount_too_revealing() of the kernel), so now, and only the pod's
 * own; of what it shares with the host run has made the mounts.
 */
static int fill_private_users(const struct pod *pod, struct err *e)
{
	static const unsigned none = MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC;
	int r;

	if (!pod->rec.private_users)
		return 0;
	r = mount_on("sys", pod->sys >= 0 ? pod->sys : mnt_new("sysfs", NULL, none, e), 0, e);
	return r < 0 || pod->mqueue < 0 ? r : mount_on("mqueue", pod->mqueue, 0, e);
}

static int fill(const struct pod *pod, int root, struct err *e)
{
	static const unsigned none = MNT_ATTR_NOSUID | MNT_ATTR_NODEV | MNT_ATTR_NOEXEC;
	static const struct mnt_option shm[] = {{"mode", "1777"}, {"size", "64m"}, {NULL, NULL}};
	const struct {
		const char *name;
		bool needed;
	} dirs[] = {
		{"dev", true}, {"shm", true}, {"proc", true}, {"root", true},
		{"sys", pod->rec.private_users}, {"mqueue", pod->mqueue >= 0},
	};
	int r;

	for (size_t i = 0; i < ELEMENTSOF(dirs); i++)
		if (dirs[i].needed && mkdir(dirs[i].name, 0755) < 0)
			return err_sys(e, "mkdir /%s", dirs[i].name);
	r = make_covers(e);
	if (r == 0)
		r = bind_nodes(e);
	if (r == 0)
		r = make_read_only(root, e);
	if (r == 0)
		r = mount_on("proc", mnt_new("proc", NULL, none, e), 0, e);
	if (r == 0)
		r = mount_on("shm", mnt_new("tmpfs", shm, none, e), 0, e);
	return r < 0 ? r : fill_private_users(pod, e);
}

#ifdef INIT_SHOWS_LIBRARIES
/*
 * Only in builds with sanitizers, which are dynamic: stage2 could not be executed without its
 * loader.
 */
static int show_libraries(struct err *e)
{
	static const char *const dirs[] = {"usr", "lib", "lib64"};

	for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
		_cleanup_free_ char *host = xasprintf("/%s", dirs[i]);
		int r = mkdir(dirs[i], 0755) < 0 ? -errno : mnt_bind(host, dirs[i]);

		if (r < 0 && r != -ENOENT)
			return err_sysr(e, r, "bind %s", host);
	}
	return 0;
}
#else
static int show_libraries(_unused_ struct err *e)
{
	return 0;
}
#endif

static int make_root(const struct pod *pod, struct err *e)
{
	static const struct mnt_option options[] = {{"mode", "0755"}, {"size", "1m"}, {NULL, NULL}};
	_cleanup_fd_ int root = -EBADF, top = -EBADF;
	int r = mnt_make_private();

	if (r < 0)
		return err_sysr(e, r, "make mounts private");
	root = mnt_new("tmpfs", options, MNT_ATTR_NOSUID, e);
	if (root < 0)
		return root;
	top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_sys(e, "open /");
	r = mnt_attach(root, top, 0, false);
	if (r < 0)
		return err_sysr(e, r, "attach the pod's root");
	if (fchdir(root) < 0)
		return err_sys(e, "change directory to the pod's root");
	r = show_libraries(e);
	if (r == 0)
		r = fill(pod, root, e);
	if (r < 0)
		return r;
	r = mnt_pivot(root);
	return r < 0 ? err_sysr(e, r, "pivot root") : 0;
}

static int loopback_up(struct err *e)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_sys(e, "set up lo");
	return 0;
}

int sandbox_enter(const struct pod *pod, struct err *e)
{
	int r = make_root(pod, e);

	if (r == 0 && pod->rec.private_net)
		r = loopback_up(e);
	if (r == 0 && !pod->shared && sethostname(pod->rec.hostname, strlen(pod->rec.hostname)) < 0)
		r = err_sys(e, "set host name");
	return r;
}
